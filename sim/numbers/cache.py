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
from pathlib import Path

from numba import config
from platformdirs import user_cache_path

COMPILED_ROOMS = ("numbers", "rules", "engine")
COMPILERS = ("numba", "llvmlite", "numpy")


@cache
def source_hash() -> str:
    """Hash of the sources of the compiled rooms: 16 hexadecimal digits, the same on every machine."""
    package = Path(__file__).parents[1]
    digest = hashlib.blake2b(digest_size=8)
    for room in COMPILED_ROOMS:
        for path in sorted((package / room).rglob("*.py")):
            digest.update(path.relative_to(package).as_posix().encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


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
