"""Where a result came from: versions, seed, configuration and the sources that computed it."""

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from sim.world.scenario import Config

LIBRARIES = ("lull-sim", "numpy", "numba", "llvmlite", "mesa", "xarray")


@cache
def source_hash() -> str:
    """Hash of every Python source of the package: 16 hexadecimal digits, the same on every machine."""
    package = Path(__file__).parents[1]
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that a result depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


NEUTRAL_KEYS = ("engine", "output")
"""Sections of the configuration that no result depends on: how many threads, which folder."""


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
    }
