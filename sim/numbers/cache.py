"""Where compiled code is kept, so that no edit can leave a stale kernel behind.

Numba notices an edit of the file that holds a kernel but not of the helpers inlined into it. So the folder is named by
a hash of every source that can be compiled and of every version that compiles it: what changes gets a new folder.
Numba writes each file aside and renames it, so several processes may share a folder.
"""

import hashlib
import platform
import sys
from functools import cache
from importlib.metadata import version

from numba import config
from platformdirs import user_cache_path

from sim.numbers.sources import hash_of

COMPILED_ROOMS = ("numbers", "rules", "engine")
COMPILERS = ("numba", "llvmlite", "numpy")


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{platform.node()}-{id(folder)}"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        print(f"lull: compiled code is not kept: {folder}: {problem.strerror}", file=sys.stderr)
        return False
    # Numba makes its settings at import time, where no checker sees them.
    setattr(config, "CACHE_DIR", str(folder))  # noqa: B010
    return True
