"""Figures, one module a method, and `draw`: one name for all of them; what is drawn follows from what is given."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from sim.model.validation import UserError, one_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


def draw(found: Any, *names: str) -> "Figure":
    """Draw what a study gave. In a notebook the figure shows itself; `.savefig("figure.png")` writes it.

    Args:
        found: what is to be drawn.
        names: which of its outcomes or figures; see below.

    | `found` | without names | names |
    |---|---|---|
    | what `run` gives | how the winter goes on, attacks a week, outcomes | outcomes: how often each value came |
    | what `simulate` returns | attacks a week by theatre over the calendar | the same |
    | `{"a": ..., "b": ...}` of such | attacks a week on the target, laid over each other | the same, side by side |
    | `{"before": ..., "after": ...}` of sweeps over draws | | parameters: their draws, laid over each other |
    | what `sweep` or `open_sweep` gives | three outcomes over what varies | other outcomes |
    | what `compare` gives | a panel for each question asked, or each key one | measures: a panel for each |
    | what `explain` gives | shares of the mechanisms, with what each brings alone | |
    | what `diff` gives | both histories as tracks | |
    | what `calibrate` gives | the posterior | posterior, forest, sbc, patterns or hypotheses |
    | what `discover` gives | its boxes | boxes or trajectory |
    | a `ReferenceModel` that has run | its attacks, war risk and compliance day by day | |

    Returns:
        A matplotlib Figure. The same data give the same bytes.

    Raises:
        UserError: there is no figure of this, or none of that name.
    """
    import xarray as xr

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
    return UserError("draw", what, "what a call such as run, compare, sweep or calibrate gives")


def _drawer(module: str, name: str) -> Callable[..., "Figure"]:
    """The function that draws a figure, imported when it is needed."""
    drawer: Callable[..., Figure] = getattr(import_module(f"sim.reporting.figures.{module}"), f"{name}_figure")
    return drawer


def drawn(module: str, name: str, *given: Any) -> Callable[[], "Figure"]:
    """A figure of what is given, whose module is imported when it is drawn."""
    return lambda: _drawer(module, name)(*given)


def _dataset(data: "xr.Dataset", names: tuple[str, ...]) -> "Figure":
    if "point" in data.dims:
        return _drawer("sweep_figures", "sweep")(data, *([names] if names else []))
    if "comparison" in data.dims:
        known = [str(one) for one in data["measure"].values]
        return _drawer("compare_figures", "comparison")(data, *(chosen(one, known) for one in names))
    if "mechanism" in data.dims:
        return _drawer("compare_figures", "attribution")(data)
    if "weekly_histogram" in data:
        return _ensembles({"": data}, names) if names else _drawer("briefing", "fan")(data)
    raise _undrawable("this Dataset")


def _ensembles(found: Mapping[str, Any], names: tuple[str, ...]) -> "Figure":
    import xarray as xr

    found = {name: one if isinstance(one, xr.Dataset) else getattr(one, "data", one) for name, one in found.items()}
    if found and names and all(isinstance(one, xr.Dataset) and "point" in one.dims for one in found.values()):
        return _drawer("distribution_figures", "draws")(found, names)
    if not found or not all(isinstance(one, xr.Dataset) and "weekly_histogram" in one for one in found.values()):
        raise _undrawable("this mapping")
    return _drawer("distribution_figures", "outcome")(found, names) if names else _drawer("briefing", "fans")(found)


def chosen(name: str, known: Any) -> str:
    """A name that is known."""
    if name not in known:
        raise UserError("draw", name, one_of(known, name))
    return name


BY_CLASS: Final[Mapping[str, Callable[[Any, tuple[str, ...]], "Figure"]]] = {
    "sim.engine.reference.model.ReferenceModel": lambda found, _: _drawer("history_figures", "history")(found),
    "sim.commands.calls.result.Result": lambda found, names: found.plot(*names),
}
"""Drawers by the full name of a class, so that nothing is imported to find out what something is not."""
