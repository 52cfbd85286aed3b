"""One look for all figures: colours that colour-blind readers tell apart, quiet axes, the same bytes every time."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's palette, as far as it is used.
BLUE: Final = "#0072B2"
GREEN: Final = "#007A5A"
ORANGE: Final = "#BF5200"
PURPLE: Final = "#8B3A8B"
INK: Final = "#1A1A1A"
GREY: Final = "#6B6B6B"
PALE: Final = "#EDEFF2"
SAND: Final = "#F3E9C6"

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
        picture = b64encode(drawn(self, "png")).decode("ascii")
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


def quiet(axes: Axes) -> None:
    """Faint lines to read values by, behind everything."""
    axes.grid(axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, width=0.7)


def drawn(figure: Figure, ending: str) -> bytes:
    """A figure as the bytes of a `png` or `svg` file; the same figure gives the same bytes."""
    file = BytesIO()
    with style():
        if ending == "svg":
            figure.savefig(file, format=ending, metadata={"Date": None, "Creator": "lull"})
        else:
            figure.savefig(file, format=ending, dpi=RESOLUTION, metadata={"Software": "lull"})
    return file.getvalue()


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG or SVG, by the ending of the path."""
    path.write_bytes(drawn(figure, path.suffix.lstrip(".")))
