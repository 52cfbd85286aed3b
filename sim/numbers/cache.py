"""Where compiled code is kept, so that no edit can leave a stale kernel behind.

Numba notices an edit of the file that holds a kernel but not of the helpers inlined into it. So the folder is named by
a hash of every source that can be compiled and of every version that compiles it: what changes gets a new folder.
Numba writes each file aside and renames it, so several processes may share a folder. What no process has opened for a
month is removed when a new folder is made.
"""

import hashlib
import platform
import re
import shutil
import sys
import time
import uuid
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from numba import config
from platformdirs import user_cache_path

from sim.numbers.sources import hash_of

COMPILED_ROOMS = ("numbers", "rules", "engine")
COMPILERS = ("numba", "llvmlite", "numpy")
UNUSED_SECONDS: Final = 30 * 24 * 3600
_NAME: Final = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}(\.[0-9a-f]{32})?")
"""A folder of ours; with the ending, one on its way out."""


def source_hash() -> str:
    """Hash of the sources of the compiled rooms."""
    return hash_of(tuple(f"{room}/**/*.py" for room in COMPILED_ROOMS))


def compiler_hash() -> str:
    """Hash of the versions that turn the sources into machine code."""
    parts = [platform.python_version(), sys.platform, *(version(name) for name in COMPILERS)]
    return hashlib.blake2b(" ".join(parts).encode(), digest_size=4).hexdigest()


@cache
def open_cache() -> bool:
    """Point Numba to the folder of these sources; False, with one line on stderr, where nothing can be written."""
    folder = user_cache_path("lull") / f"{source_hash()}-{compiler_hash()}"
    known = folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # This also dates the folder: it was in use today.
        probe = folder / f".probe-{platform.node()}-{id(folder)}"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        print(f"lull: compiled code is not kept: {folder}: {problem.strerror}", file=sys.stderr)
        return False
    # Numba makes its settings at import time, where no checker sees them.
    setattr(config, "CACHE_DIR", str(folder))  # noqa: B010
    if not known:
        remove_unused(folder.parent)
    return True


def remove_unused(home: Path) -> None:
    """Remove the folders of compiled code in `home` that nobody has opened for a month; what cannot go stays."""
    oldest = time.time() - UNUSED_SECONDS
    for folder in home.iterdir():
        with suppress(OSError):
            if _NAME.fullmatch(folder.name) and folder.lstat().st_mtime < oldest:
                _remove(folder, oldest)


def _remove(folder: Path, oldest: float) -> None:
    """Take a folder aside, which only one process can do, and remove it unless somebody opened it just before."""
    aside = folder.with_name(f"{folder.name[:25]}.{uuid.uuid4().hex}")
    folder.rename(aside)
    if aside.lstat().st_mtime < oldest:
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.rename(folder)
