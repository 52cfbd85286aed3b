"""`lull verify FOLDER`: make a folder of results again from its manifest, and name the first difference."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.markup import escape

from sim.study.request import Request
from sim.study.sweep.store import VERB as SWEEP
from sim.study.verification.verified import Verified, asked_again, manifest_of, verify_folder, verify_sweep
from sim.view.terminal import progress, show, shown_path, waiting
from sim.world.errors import UserError

DIFFERENT: Final = 1
"""Exit code where the folder is not what its manifest makes."""


def main(request: Request) -> int:
    """Carry out the verb; 0 where every result is the same to the bit, else 1.

    Raises:
        UserError: no folder is named, or it is no result of ours, or its command cannot be given any more.
    """
    if len(request.overrides) != 1:
        raise UserError("verify", " ".join(request.overrides) or "(missing)", "one folder that lull made")
    folder = Path(request.overrides[0]).resolve()
    manifest = manifest_of(folder)
    if manifest["verb"] == SWEEP:
        with progress(manifest["points"] * manifest["runs"], "histories") as advance:
            found = verify(folder, progress=advance)
    else:
        with waiting(f"making {manifest['verb']} again"):
            found = verify(folder)
    report(folder, found)
    return DIFFERENT if found.first else 0


def verify(folder: Path | str, progress: Callable[[int], None] | None = None) -> Verified:
    """Make a folder of results again from its manifest and compare, to the last bit.

    Args:
        folder: what a verb of `lull` left behind.
        progress: called with numbers of finished histories, where the folder holds a sweep.

    Returns:
        How many files were compared and the first difference, None where there is none.

    Raises:
        UserError: it is no result of ours, or its command cannot be given any more; one line.
    """
    place = Path(folder).resolve()
    manifest = manifest_of(place)
    return verify_sweep(place, progress=progress) if manifest["verb"] == SWEEP else verify_by_making(place, manifest)


def verify_by_making(folder: Path, manifest: dict) -> Verified:
    """Carry out the verb of a folder again, elsewhere and unheard, and compare."""
    with TemporaryDirectory(prefix="lull-verify-") as scratch:
        again = Path(scratch).resolve() / "again"
        with redirect_stdout(io.StringIO()):
            import_module(f"sim.view.verbs.{manifest['verb']}").main(asked_again(manifest, again))
        return verify_folder(folder, again)


def report(folder: Path, found: Verified) -> None:
    """Say what came of it."""
    place = escape(shown_path(folder))
    for one in found.elsewhere:
        show(escape(f"made by {one}"))
    if found.pictures:
        show(f"drawn otherwise here, from the same numbers: {', '.join(found.pictures)}")
    if found.first:
        show(f"{place} differs. First difference: {escape(found.first)}")
    else:
        show(f"{place} is what its manifest makes: {found.compared} files, no difference.")
