"""The report on paper: printed to PDF by a browser that is there already."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from sim.world.errors import UserError

BROWSERS: Final = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)  # fmt: skip
"""Browsers of one family, which print without a window, by name or by their usual place."""
SECONDS: Final = 180
_FLAGS: Final = (
    "--headless", "--disable-gpu", "--no-sandbox", "--no-pdf-header-footer", "--generate-pdf-document-outline",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--no-first-run", "--disable-extensions", "--disable-sync",
    "--disable-background-networking",
)  # fmt: skip
_DATES: Final = re.compile(rb"/(CreationDate|ModDate) \(D:[^)]*\)")
_NODES: Final = re.compile(rb"node\d{8}")
_KEY: Final = "report.pdf"


def browser() -> str:
    """The browser that prints.

    Raises:
        UserError: there is none.
    """
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise UserError(_KEY, "true", "false here; true takes Chromium, Chrome or Edge, and none is found")
    return found


def print_page(page: Path, pdf: Path) -> None:
    """Print a page; the file says nothing of the hour at which it was made.

    The page holds no script and the browser may reach no other machine, so nothing needs its sandbox, which containers
    and superusers do not have.

    Raises:
        UserError: the browser does not print.
    """
    program = browser()
    with tempfile.TemporaryDirectory() as profile:
        command = [program, *_FLAGS, f"--user-data-dir={profile}", f"--print-to-pdf={pdf}", page.resolve().as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
            printed = done.returncode == 0 and pdf.is_file()
        except (OSError, subprocess.TimeoutExpired):
            printed = False
    if not printed:
        raise UserError(_KEY, "true", f"false here; {program} does not print")
    pdf.write_bytes(settled(pdf.read_bytes()))


def settled(content: bytes) -> bytes:
    """A PDF without the hour of its making and with its nodes numbered from 0; every other byte stays at its place.

    A browser goes on counting the nodes of its pages, so their numbers differ from print to print.

    >>> settled(b"/CreationDate (D:20240228101112+00'00') (node00000070) (node00000071) (node00000070)")
    b'/CreationDate (D:19700101000000       ) (node00000000) (node00000001) (node00000000)'
    """
    content = _DATES.sub(_undated, content)
    places = {name: place for place, name in enumerate(sorted(set(_NODES.findall(content))))}
    return _NODES.sub(lambda found: b"node%08d" % places[found[0]], content)


def _undated(found: re.Match[bytes]) -> bytes:
    words = b"/" + found[1] + b" (D:19700101000000"
    return words.ljust(len(found[0]) - 1) + b")"
