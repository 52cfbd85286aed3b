"""`canvas`: empty axes in the look of all figures, for pictures of one's own."""

from typing import Final

from matplotlib.axes import Axes

from sim.view.style import Drawing, new_figure, quiet, style

WIDTH: Final = 9.5


def canvas(panels: int = 1, height: float = 3.2, *, shared: bool = False) -> tuple[Drawing, list[Axes]]:
    """Empty axes side by side. In a notebook the figure shows itself where it is the last line of a cell.

    Args:
        panels: how many.
        height: of the figure, in inches; all figures have one width.
        shared: whether all panels have the same vertical axis.

    Returns:
        The figure and its axes, from left to right.

    >>> figure, [left, right] = canvas(2)
    >>> figure.get_size_inches().tolist()
    [9.5, 3.2]
    """
    with style():
        figure = new_figure(WIDTH, height)
        figure.set_layout_engine("constrained")
        axes = list(figure.subplots(1, panels, sharey=shared, squeeze=False)[0])
        for one in axes:
            quiet(one)
    return figure, axes
