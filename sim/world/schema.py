"""The ground that every composition starts from: the declared parameters and switches with their defaults.

Hydra holds the values and merges them. Types and ranges are checked afterwards, in one place and with the full key,
because Hydra itself would let through numbers out of range, NaN, `mechanisms.fear=3` and `+new.key=1`.
"""

from dataclasses import asdict
from typing import Any

from sim.world.mechanisms import Mechanisms
from sim.world.parameters import default_parameters

SCHEMA_NAME = "declared"
"""The name under which `configs/config.yaml` finds this ground among its defaults."""

GROUPS = ("actors", "timeline", "history", "patterns", "calibration", "filters", "scenario")
"""The groups of configuration files: one file of each is chosen."""

STUDY_KEYS = (
    "runs", "points", "design", "table", "ignore", "draws", "policies", "precision", "most_runs", "accept_versions",
)  # fmt: skip
"""How a study is made: `runs` holds for all, the others for a sweep."""

ENGINE_KEYS = ("threads", "cluster", "workers", "job")
"""Where histories are computed; no result depends on it."""

_ON_THE_LINE = "this one is set on the command line or by the arguments of a function"
OF_A_CALL = {
    **dict.fromkeys(("seed", "study", "parameters", "output"), _ON_THE_LINE),
    "engine": "results do not depend on this one, which is set on the command line",
    "extensions": "code is named on the command line or handed over in Python, never by a file of data",
    "hydra": "Hydra's own settings are set on the command line",
}
"""Keys that say how a world is studied, not what it is, and where they are set: no file of a group sets them."""

TOP_KEYS = (
    "seed", "parameters", "study", "engine", "output", "scenario", "mechanisms", "names", "theatre", "militia",
    "calendar", "events", "history", "rungs", "patterns", "calibration", "filters", "extensions",
    *asdict(default_parameters()),
)  # fmt: skip


def ground() -> dict[str, Any]:
    """The defaults of all declared parameters and switches, as nested mappings.

    >>> ground()["patron"]["directive_stop"], ground()["mechanisms"]["fear"]
    (0.0, True)
    """
    return {**asdict(default_parameters()), "mechanisms": asdict(Mechanisms())}
