"""Writing so that nobody ever sees half a file: aside, to the disk, then under its name."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from sim.world.errors import UserError

PARTIAL: Final = ".partial"
_CHUNK: Final = 2**20


def write_aside(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file that appears complete or not at all; what stood under its name stays until then."""
    aside = path.with_name(f".{path.name}{PARTIAL}")
    try:
        with aside.open("wb") as file:
            write(file)
            settle(file)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    settle_folder(path.parent)


def settle(file: IO[Any]) -> None:
    """Have the system put what was written on the disk."""
    file.flush()
    os.fsync(file.fileno())


def settle_folder(folder: Path) -> None:
    """Have the system put new names on the disk; Windows does so by itself and opens no folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest(path: Path) -> str:
    """Checksum of a file: 16 hexadecimal digits."""
    found = hashlib.blake2b(digest_size=8)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


class Hashing:
    """A file being written, with the checksum of what went in."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.blake2b(digest_size=8)
        self._written = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Write and count in."""
        self._hash.update(data)
        self._file.write(data)
        size = memoryview(data).nbytes
        self._written += size
        return size

    def tell(self) -> int:
        """Bytes written."""
        return self._written

    def flush(self) -> None:
        """Hand on to the system."""
        self._file.flush()

    def close(self) -> None:
        """Say that nothing more comes; the file itself is closed by whoever opened it."""
        self.closed = True

    @property
    def digest(self) -> str:
        """Checksum so far."""
        return self._hash.hexdigest()


def disk_problem(folder: Path, problem: OSError, hint: str) -> UserError:
    """The one line for a disk that is full or does not take what is written."""
    return UserError("output.dir", folder, f"a disk that takes it ({problem.strerror or problem}){hint}")
