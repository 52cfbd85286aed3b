"""`lull verify FOLDER`: make a folder of results again from its manifest, and name the first difference."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.markup import escape

from sim.study.inputs import restored
from sim.study.request import Request
from sim.study.sweep.store import VERB as SWEEP
from sim.study.verification.verified import Verified, manifest_of, verify_folder, verify_sweep
from sim.view.terminal import progress, show, shown_path, waiting
from sim.world.errors import UserError

DIFFERENT: Final = 1
"""Exit code where the folder is not what its manifest makes."""


def main(request: Request) -> int:
    """Carry out the verb; 0 where every result is the same to the bit, else 1.

    Raises:
        UserError: no folder is named, or it is no result of ours, or its command cannot be given any more.
    """
    trusted, rest = request.taking("trust")
    if trusted not in (None, "true", "false"):
        raise UserError("trust", trusted, "true or false")
    if len(rest.overrides) != 1:
        raise UserError("verify", " ".join(rest.overrides) or "(missing)", "one folder that lull made")
    folder = Path(rest.overrides[0]).resolve()
    manifest = manifest_of(folder)
    if manifest["verb"] == SWEEP:
        with progress(manifest["points"] * manifest["runs"], "histories") as advance:
            found = verify(folder, advance, trusted == "true")
    else:
        with waiting(f"making {manifest['verb']} again"):
            found = verify(folder, trust=trusted == "true")
    report(folder, found)
    return DIFFERENT if found.first else 0


def verify(folder: Path | str, progress: Callable[[int], None] | None = None, trust: bool = False) -> Verified:
    """Make a folder of results again from its manifest and compare, to the last bit.

    Args:
        folder: what a verb of `lull` left behind.
        progress: called with numbers of finished histories, where the folder holds a sweep.
        trust: whether the extensions and configuration files that the folder keeps may be used; extensions are code
            that this would run.

    Returns:
        How many files were compared and the first difference, None where there is none.

    Raises:
        UserError: it is no result of ours, or its command cannot be given any more; one line.
    """
    place = Path(folder).resolve()
    manifest = manifest_of(place)
    if manifest["verb"] == SWEEP:
        return verify_sweep(place, trust, progress=progress)
    return verify_by_making(place, manifest, trust)


def verify_by_making(folder: Path, manifest: dict[str, Any], trust: bool = False) -> Verified:
    """Carry out the verb of a folder again, elsewhere and unheard, and compare."""
    with TemporaryDirectory(prefix="lull-verify-") as scratch:
        place = Path(scratch).resolve()
        again = place / "again"
        request = restored(manifest, folder, place, again, trust)
        with redirect_stdout(io.StringIO()):
            try:
                import_module(f"sim.view.verbs.{manifest['verb']}").main(request)
            except UserError:
                raise
            except Exception as problem:
                allowed = f"a command that can be given again; it ends with {type(problem).__name__}: {problem}"
                raise UserError("verify", folder, allowed) from problem
        if not again.is_dir():
            raise UserError("verify", folder, "a command that leaves results")
        return verify_folder(folder, again)


def report(folder: Path, found: Verified) -> None:
    """Say what came of it."""
    place = escape(shown_path(folder))
    for one in found.elsewhere:
        show(escape(f"made by {one}"))
    if found.pictures:
        show(f"drawn otherwise here, from the same numbers: {', '.join(found.pictures)}")
    if found.others:
        show(f"not compared, for they are worked out from the histories: {escape(', '.join(found.others))}")
    if found.first:
        show(f"{place} differs. First difference: {escape(found.first)}")
    else:
        show(f"{place} is what its manifest makes: {found.compared} files, no difference.")
