"""One look for all figures: colours that colour-blind readers tell apart, quiet axes, the same bytes every time."""

import re
import textwrap
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from sim.reporting.text import FigureSource

# Okabe and Ito's palette, as far as it is used.
BLUE: Final = "#0072B2"
GREEN: Final = "#007A5A"
ORANGE: Final = "#BF5200"
PURPLE: Final = "#8B3A8B"
INK: Final = "#1A1A1A"
GREY: Final = "#6B6B6B"
PALE: Final = "#EDEFF2"
SAND: Final = "#F3E9C6"

COLOURS: Final = (BLUE, ORANGE, GREEN, PURPLE, INK, GREY)
"""Of up to six things that share a figure."""
BY_KIND: Final = {"target": BLUE, "rival": GREEN, "shipping": GREEN}
"""Colour of a theatre: those where the target is attacked stand apart from all others."""

RESOLUTION: Final = 160

_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "svg.hashsalt": "lull",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw inside this block, whatever the user's own settings of matplotlib are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


POINTS: Final = 96
"""Pixels of a page to the inch, as browsers have them."""


class Drawing(Figure):
    """A figure that a notebook shows where it is the last line of a cell, in this look and with the same bytes."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict[str, str], dict]:
        """What Jupyter asks for: the picture, and how wide it is meant to be."""
        picture = b64encode(rendered(self, "png")).decode("ascii")
        size = {"width": round(self.get_figwidth() * POINTS), "height": round(self.get_figheight() * POINTS)}
        return {"image/png": picture, "text/plain": self.words()}, {"image/png": size}

    def words(self) -> str:
        """The first line of text in the figure: its title."""
        texts = [one.get_text() for one in self.texts] + [axes.get_title(loc="left") for axes in self.axes]
        return next((text for text in texts if text), "figure")


def new_figure(width: float, height: float) -> Drawing:
    """An empty figure, in inches, that no window system is needed for."""
    figure = Drawing(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def quiet(axes: Axes, lines: Literal["x", "y", "both"] = "y") -> None:
    """Faint lines to read values by, behind everything; those of `x` are for rows, which need no axis at the left."""
    axes.grid(axis=lines, color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, width=0.7)
    if lines == "x":
        axes.tick_params(axis="y", length=0)


def name_colours(figure: Figure, names: Sequence[str], colours: Sequence[str], left: float, top: float) -> None:
    """A legend of names by colour in one line, so many inches below the upper edge."""
    handles = [Patch(color=colour, label=name) for name, colour in zip(names, colours, strict=False)]
    figure.legend(
        handles=handles, ncols=len(handles), loc="upper left", fontsize=10, handlelength=1.2,
        bbox_to_anchor=(left, 1 - top / figure.get_figheight()), borderaxespad=0.0, borderpad=0.0,
    )  # fmt: skip


def heading(
    figure: Figure, title: str, text: str, left: float, size: float, tops: tuple[float, float] = (0.17, 0.5),
    below: float = 10.0, fit: bool = False,
) -> None:  # fmt: skip
    """Title and a line below it, so many inches below the upper edge; smaller where they have to fit into the width."""
    looks: tuple[dict[str, Any], ...] = (
        {"fontsize": size, "fontweight": "bold"}, {"fontsize": below, "color": GREY},
    )  # fmt: skip
    for words, top, look in zip((title, text), tops, looks, strict=True):
        y = 1 - top / figure.get_figheight()
        if fit:
            fitted(figure, y, words, left=left, **look)
        else:
            figure.text(left, y, words, va="top", **look)


def fitted(figure: Figure, y: float, words: str, fontsize: float, left: float = 0.045, **look: Any) -> None:
    """Write a line across the figure, smaller where it would not fit."""
    text = figure.text(left, y, words, fontsize=fontsize, va="top", **look)
    room = (1 - 2 * left) * figure.bbox.width
    text.set_fontsize(fontsize * min(1.0, room / extent(text).width))


SMALL: Final = 8.5
"""Points of the small print at the foot."""
SOURCE: Final = "source"
"""The mark of the text that says where a figure comes from."""


def in_lines(words: str, inches: float, size: float = SMALL) -> str:
    """The words in lines of at most so many inches, by the mean width of a letter, 0.56 of its height.

    A line may end after the semicolon before a change of a scenario.
    """
    return textwrap.fill(re.sub(r";(?=\w)", "; ", words), int(inches * 72 / (0.56 * size)), break_long_words=False)


def foot_height(width: float, source: FigureSource, *notes: str, left: float = 0.045) -> float:
    """Inches that the small print of a figure of that width takes."""
    lines = "\n".join(in_lines(str(one), (1 - 2 * left) * width) for one in (*notes, source)).count("\n") + 1
    return 0.2 + lines * 1.3 * SMALL / 72


def footer(figure: Figure, source: FigureSource, *notes: str, left: float = 0.045, ink: str = GREY) -> None:
    """Write at the foot of a figure where it comes from; above it notes, each on lines of its own."""
    width, height = figure.get_size_inches()
    low = 0.1
    for words, colour in ((source, GREY), *((one, ink) for one in reversed(notes))):
        lines = in_lines(str(words), (1 - 2 * left) * width)
        mark = SOURCE if words is source else None
        figure.text(left, low / height, lines, fontsize=SMALL, color=colour, va="bottom", linespacing=1.3, gid=mark)
        low += (lines.count("\n") + 1) * 1.3 * SMALL / 72


def extent(text: Text) -> Bbox:
    """The room that a text takes in its figure, in pixels."""
    figure: Any = text.figure
    return text.get_window_extent(figure.canvas.get_renderer())


def bare(axes: Axes) -> None:
    """No ticks and no frame."""
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def date_axis(panels: Sequence[Axes], most: int = 12) -> None:
    """Dates under the lowest of some panels alone."""
    locator = AutoDateLocator(minticks=6, maxticks=most)
    for axes in panels:
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        axes.tick_params(axis="x", labelbottom=axes is panels[-1])


def rendered(figure: Figure, ending: str) -> bytes:
    """A figure as the bytes of a `png` or `svg` file; the same figure gives the same bytes."""
    file = BytesIO()
    with style():
        if ending == "svg":
            figure.savefig(file, format=ending, metadata={"Date": None, "Creator": "lull"})
        else:
            packed = {"compress_level": 3}  # half the time of the usual 6, and 7% more bytes
            figure.savefig(file, format=ending, dpi=RESOLUTION, metadata={"Software": "lull"}, pil_kwargs=packed)
    return file.getvalue()


def save_both(figure: Figure, path: Path) -> None:
    """Write a figure as PNG and as SVG; the path has no ending."""
    for ending in ("png", "svg"):
        save(figure, path.with_name(f"{path.name}.{ending}"))


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG or SVG, by the ending of the path."""
    path.write_bytes(rendered(figure, path.suffix.lstrip(".")))


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
