"""`sweep`: a sweep from Python."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from sim.study.request import Request
from sim.study.sweep.axes import spelled
from sim.study.sweep.opened import open_sweep
from sim.study.sweep.prepared import prepare
from sim.study.sweep.running import running
from sim.study.sweep.store import VERB


def sweep(
    overrides: Mapping[str, Any] | Sequence[str],
    *,
    to: Path | str | None = None,
    points: pd.DataFrame | None = None,
    config_dir: Path | str | None = None,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Live a sweep, or go on with it, and open it.

    Args:
        overrides: as on the command line, or a mapping of keys to values, where a list means each of its values and a
            tuple (low, high) an interval: `{"scenario": ["article", "tight_leash"], "patron.control": (0.2, 1.0),
            "study.points": 64, "study.runs": 100}`.
        to: the folder; None takes one below `outputs`. Called again for the same folder it makes only what is missing,
            which may be more points or more runs.
        points: a table of points, one per row, with columns named by keys.
        config_dir: a folder with files of your own.
        progress: called with the number of histories that were lived.

    Returns:
        What `open_sweep` gives.

    Raises:
        UserError: something asked for cannot be used, or the folder holds another sweep.
    """
    texts = axes_spelled(overrides) if isinstance(overrides, Mapping) else tuple(overrides)
    home = () if to is None else (f"output.dir={spelled(str(to))}",)
    request = Request(VERB, (*texts, *home), None if config_dir is None else Path(config_dir))
    asked = prepare(request, points)
    with running(asked) as going:
        going.make(progress)
        while going.refine():
            going.make(progress)
        going.finish()
    return open_sweep(asked.folder)


def axes_spelled(overrides: Mapping[str, Any]) -> tuple[str, ...]:
    """A mapping as overrides.

    >>> axes_spelled({"scenario": ["article", "tight_leash"], "patron.control": (0.2, 1.0), "seed": 7})
    ('scenario=choice(article,tight_leash)', 'patron.control=interval(0.2,1.0)', 'seed=7')
    """
    return tuple(f"{key}={_axis_text(value)}" for key, value in overrides.items())


def _axis_text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"interval({','.join(spelled(one) for one in value)})"
    if isinstance(value, list):
        return f"choice({','.join(spelled(one) for one in value)})"
    return spelled(value)
