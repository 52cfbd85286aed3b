"""A chronicle in the terminal: headings for days, colours for what weighs most, one line for quiet days in a row."""

from textwrap import wrap
from typing import Final

from rich.console import Console
from rich.text import Text

from sim.study.chronicle import ELSEWHERE, Chronicle, Paragraph

STYLES: Final = {
    "casualties": "red",
    "war": "bold red",
    "ladder": "magenta",
    "response": "yellow",
    "strike": "yellow",
    "alarm": "cyan",
    "order": "cyan",
    "compliance": "green",
    "mediation": "green",
    ELSEWHERE: "dim",
}
"""Colours by kind of sentence; kinds that are not named are printed plainly."""


def show_chronicle(chronicle: Chronicle, console: Console) -> None:
    """Print a chronicle."""
    console.print(Text(chronicle.title, style="bold"))
    for paragraph in chronicle.paragraphs():
        _show_paragraph(chronicle, paragraph, console)


def _show_paragraph(chronicle: Chronicle, paragraph: Paragraph, console: Console) -> None:
    elsewhere = chronicle.elsewhere(paragraph)
    if not paragraph.sentences:
        console.print(Text.assemble((f"{paragraph.heading}: quiet. ", "bold"), (elsewhere, STYLES[ELSEWHERE])))
        return
    console.print(Text(paragraph.heading, style="bold"))
    for kind, text in (*paragraph.flow(), (ELSEWHERE, elsewhere)):
        if text:
            lines = wrap(text, console.width, initial_indent="  ", subsequent_indent="  ")
            console.print(Text("\n".join(lines), style=STYLES.get(kind, "")))
