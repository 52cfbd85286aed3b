"""Where a result came from: versions, seed, configuration and the sources that computed it."""

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import yaml

from sim.numbers.sources import hash_of
from sim.world.compose import compose_tree
from sim.world.mechanisms import MECHANISM_NAMES
from sim.world.scenario import POSTERIOR, Config, config_of
from sim.world.schema import TOP_KEYS

if TYPE_CHECKING:
    import xarray as xr

LIBRARIES = ("lull-sim", "numpy", "numba", "llvmlite", "mesa", "xarray")
DECIDING_LIBRARIES = ("numba", "llvmlite", "numpy")
"""Libraries that compute histories: with another version of one, the last bits may differ."""


def source_hash() -> str:
    """Hash of every Python source of the package."""
    return hash_of(("**/*.py",))


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that a result depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


NEUTRAL_KEYS = ("engine", "output", "calibration")
"""Sections of the configuration that no history depends on: how many threads, which folder, what is fitted to."""


def config_text(config: Config) -> str:
    """The resolved configuration as YAML."""
    return yaml.safe_dump(dict(config.tree), sort_keys=False, allow_unicode=True)


def decisive_text(config: Config) -> str:
    """The same without what no result depends on, so that equal results carry equal words."""
    decisive = {key: value for key, value in config.tree.items() if key not in NEUTRAL_KEYS}
    return yaml.safe_dump(decisive, sort_keys=False, allow_unicode=True)


def provenance(config: Config) -> dict[str, Any]:
    """Attributes of a dataset: everything needed to make it again."""
    scenario = config.scenario
    return {
        "title": f"Lull: scenario {scenario.name}",
        "question": scenario.question,
        "scenario": scenario.name,
        "seed": str(config.seed),
        "first_day": scenario.calendar.start.isoformat(),
        "strikes_day": scenario.calendar.strikes,
        "report_day": scenario.calendar.report,
        "source_hash": source_hash(),
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
        "configuration": decisive_text(config),
        **_posterior(config),
    }


def config_in(data: "xr.Dataset") -> Config:
    """The configuration that a dataset carries, without what extensions added to the model.

    Raises:
        KeyError: the dataset carries none.
    """
    told = yaml.safe_load(data.attrs["configuration"])
    kept = {name: value for name, value in told.items() if name in TOP_KEYS and name != "extensions"}
    kept["mechanisms"] = {name: value for name, value in kept["mechanisms"].items() if name in MECHANISM_NAMES}
    ground, _ = compose_tree(())
    return config_of({**{name: ground[name] for name in NEUTRAL_KEYS}, **kept}, data.attrs["scenario"])


def _posterior(config: Config) -> dict[str, str]:
    """Which posterior parameters were drawn from, if they were."""
    if config.parameters_from != POSTERIOR:
        return {}
    from sim.study.calibration.shipped import shipped_posterior

    posterior = shipped_posterior(config.scenario.cast)
    told = {key: posterior.about[key] for key in ("draws", "bank", "effective", "seed", "deciding_hash")}
    return {"posterior": ", ".join(f"{key} {value}" for key, value in told.items())}
