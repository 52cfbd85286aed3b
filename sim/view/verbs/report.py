"""`lull report scenarios=[...]`: one page for those who decide, with its tables as files, and on paper when asked."""

from typing import Any

from rich.markup import escape

from sim.study.attribution.explaining import share_rows
from sim.study.comparison.rows import summary
from sim.study.folder import Folder, result_folder
from sim.study.preload import preload
from sim.study.report.found import Found, live
from sim.study.report.prepared import Asked, prepare
from sim.study.request import Request
from sim.study.sweep.identity import short_hash
from sim.view.report.pdf import browser, print_page
from sim.view.terminal import progress, show, shown_path, waiting

PAGE = "report.html"
PAPER = "report.pdf"


def main(request: Request) -> None:
    """Carry out the verb.

    Raises:
        UserError: something asked for cannot be used, memory is short, or the folder cannot be written.
    """
    with waiting("composing"):
        asked = prepare(request)
        if asked.settings.pdf:
            browser()
    with result_folder(request, asked.config, label=_label(asked)) as folder:
        preload("sim.view.report.page")
        with progress(asked.histories, "histories") as advance:
            found = live(asked, advance)
        with waiting("writing"):
            told = write(folder, found, request)
    paper = f", {PAPER}" if asked.settings.pdf else ""
    show(*(escape(one) for one in told))
    show(f"\nFiles in {escape(shown_path(folder.final))}: {PAGE}{paper}, and every table as CSV.")


def _label(asked: Asked) -> str:
    return f"{asked.settings.outcome}-{asked.comparison.identity}-{short_hash({'players': list(_players(asked))})}"


def _players(asked: Asked) -> tuple[str, ...]:
    return asked.explaining.game.players


def write(folder: Folder, found: Found, request: Request) -> tuple[str, ...]:
    """Write everything that the folder holds; the answer, to be printed."""
    from sim.view.report.page import page_of
    from sim.view.style import save

    page = page_of(found, request)
    folder.text(PAGE, page.html)
    for table in page.tables.values():
        folder.csv(table.file, table.records)
    for picture in page.pictures.values():
        folder.path(f"{picture.id}.svg").write_bytes(picture.svg)
        save(picture.figure, folder.path(f"{picture.id}.png"))
    folder.dataset("comparison.nc", found.comparison)
    folder.dataset("coalitions.nc", found.shares)
    told: dict[str, Any] = {"question": page.question, "answer": list(page.sentences)}
    told |= {"comparison": summary(found.comparison), "attribution": share_rows(found.attribution)}
    folder.json("summary.json", told)
    if found.asked.settings.pdf:
        print_page(folder.path(PAGE), folder.path(PAPER))
    return (page.question, *page.sentences)
