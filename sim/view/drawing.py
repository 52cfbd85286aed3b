"""`draw`: one name for all figures; what is drawn follows from what is given."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import xarray as xr

from sim.world.errors import UserError, one_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CALIBRATION: Final = ("posterior", "forest", "check", "patterns", "readings")
"""Figures of a calibration."""
DISCOVERY: Final = ("boxes", "trajectory")
"""Figures of a search."""


def draw(found: Any, *names: str) -> "Figure":
    """Draw what a study gave. In a notebook the figure shows itself; `.savefig("figure.png")` writes it.

    Args:
        found: what is to be drawn.
        names: which of its outcomes or figures; see below.

    | `found` | without names | names |
    |---|---|---|
    | what `simulate` gives | attacks a week by theatre over the calendar | outcomes: how often each value came |
    | `{"a": ..., "b": ...}` of such | attacks a week on the target, laid over each other | the same, side by side |
    | `{"before": ..., "after": ...}` of sweeps over draws | | parameters: their draws, laid over each other |
    | what `sweep` or `open_sweep` gives | three outcomes over what varies | other outcomes |
    | what `compare` gives | effects, places and regrets | measures: one small figure for the first |
    | what `explain` gives | shares of the mechanisms, with what each brings alone | |
    | what `diverge` gives | both histories as tracks | |
    | what `calibrate` gives | the posterior | posterior, forest, check, patterns or readings |
    | what `discover` gives | its boxes | boxes or trajectory |
    | a `ReferenceModel` that has lived | its attacks, war risk and compliance day by day | |

    Returns:
        A matplotlib Figure. The same data give the same bytes.

    Raises:
        UserError: there is no figure of this, or none of that name.
    """
    if isinstance(found, xr.Dataset):
        return _dataset(found, names)
    if isinstance(found, Mapping):
        return _ensembles(found, names)
    for kind in type(found).__mro__:
        drawer = BY_CLASS.get(f"{kind.__module__}.{kind.__qualname__}")
        if drawer is not None:
            return drawer(found, names)
    raise _undrawable(type(found).__name__)


def _undrawable(what: str) -> UserError:
    return UserError("draw", what, "what simulate, sweep, compare, explain, diverge, calibrate or discover gives")


def _figure(module: str, name: str) -> Callable[..., "Figure"]:
    """A figure of the view, imported when it is drawn."""
    drawer: Callable[..., Figure] = getattr(import_module(f"sim.view.{module}"), f"{name}_figure")
    return drawer


def _dataset(data: xr.Dataset, names: tuple[str, ...]) -> "Figure":
    if "point" in data.dims:
        return _figure("figures.sweep", "sweep")(data, names) if names else _figure("figures.sweep", "sweep")(data)
    if "comparison" in data.dims:
        if not names:
            return _figure("figures.comparison", "comparison")(data)
        known = [str(one) for one in data["measure"].values]
        return _figure("figures.small", "effect")(data, chosen(names[0], known))
    if "mechanism" in data.dims:
        return _figure("figures.attribution", "attribution")(data)
    if "weekly_histogram" in data:
        return (
            _figure("figures.outcome", "outcome")({"": data}, names) if names else _figure("figures.fan", "fan")(data)
        )
    raise _undrawable("this Dataset")


def _ensembles(found: Mapping[str, Any], names: tuple[str, ...]) -> "Figure":
    if found and names and all(isinstance(one, xr.Dataset) and "point" in one.dims for one in found.values()):
        return _figure("figures.draws", "draws")(found, names)
    if not found or not all(isinstance(one, xr.Dataset) and "weekly_histogram" in one for one in found.values()):
        raise _undrawable("this mapping")
    return _figure("figures.outcome", "outcome")(found, names) if names else _figure("figures.fan", "fans")(found)


def _calibration(done: Any, names: tuple[str, ...]) -> "Figure":
    from sim.view.calibration.figures import source

    name = chosen(names[0], CALIBRATION) if names else CALIBRATION[0]
    given = {
        "check": lambda: (done.conscience, None, source(done)),
        "patterns": lambda: (done.predicted, source(done)),
        "readings": lambda: (done.rivals, source(done)),
    }.get(name, lambda: (done,))
    kind = {"patterns": "pattern", "readings": "reading"}.get(name, name)
    return _figure("calibration.figures", kind)(*given())


def _discovery(found: Any, names: tuple[str, ...]) -> "Figure":
    return _figure("figures.discovery", chosen(names[0], DISCOVERY) if names else DISCOVERY[0])(found)


def _plain(module: str, name: str) -> Callable[[Any, tuple[str, ...]], "Figure"]:
    return lambda found, names: _figure(module, name)(found)


def chosen(name: str, known: Any) -> str:
    """A name that is known.

    Raises:
        UserError: it is not.
    """
    if name not in known:
        raise UserError("draw", name, one_of(known, name))
    return name


BY_CLASS: Final[Mapping[str, Callable[[Any, tuple[str, ...]], "Figure"]]] = {
    "sim.engine.reference.model.ReferenceModel": _plain("figures.history", "history"),
    "sim.study.divergence.divergence.Divergence": _plain("figures.divergence", "divergence"),
    "sim.study.calibration.calibrating.Calibration": _calibration,
    "sim.study.discovery.discovering.Discovery": _discovery,
}
"""Drawers by the full name of a class, so that nothing is imported to find out what something is not."""
