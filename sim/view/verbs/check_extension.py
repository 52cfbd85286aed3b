"""`lull check-extension FILE`: whether an extension means the same in every engine."""

from pathlib import Path
from typing import Final

from rich.markup import escape

from sim.study.extension_check import Checked, check_extension
from sim.study.request import Request
from sim.view.terminal import show, waiting
from sim.world.errors import UserError

DIFFERENT: Final = 1
"""Exit code where the engines differ."""


def main(request: Request) -> int:
    """Carry out the verb; 0 where all engines agree to the bit, else 1.

    Raises:
        UserError: no file is named, or the extension cannot be used at all.
    """
    files = [one for one in request.overrides if "=" not in one]
    if len(files) != 1:
        raise UserError("check-extension", " ".join(files) or "(missing)", "one Python file that defines an Extension")
    overrides = [one for one in request.overrides if "=" in one]
    with waiting("compiling, and living histories by every engine"):
        found = check_extension(Path(files[0]), overrides, config_dir=request.config_dir)
    report(files[0], found)
    return DIFFERENT if found.first else 0


def report(name: str, found: Checked) -> None:
    """Say what came of it."""
    if found.first:
        show(f"{escape(name)}: the engines differ. First difference: {escape(str(found.first))}")
    else:
        show(f"{escape(name)}: {found.histories} histories, the same in every engine, to the bit.")
