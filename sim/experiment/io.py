"""Input and output: files that appear whole or not at all, one writer at a time, checksums, and CSV, JSON and YAML."""

import csv
import hashlib
import io
import json
import os
import platform
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import yaml
from filelock import FileLock, Timeout

from sim.model.validation import UserError

if TYPE_CHECKING:
    import xarray as xr

PARTIAL: Final = ".partial"
LOCK: Final = ".lock"
_HOUR: Final = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
WRITER: Final = ".writer"
"""Which process holds the lock; left behind only by a process that died."""


@contextmanager
def atomic_write(path: Path, final: Callable[[], Path] | None = None) -> Iterator[IO[bytes]]:
    """Open a file that appears complete under its name when the block ends well, and leaves nothing otherwise.

    Args:
        path: the file; what stood there stays until the new one is on the disk.
        final: its name where that is only known at the end, such as one that holds a checksum.
    """
    aside = path.with_name(f".{path.name}{PARTIAL}")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, final() if final else path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if os.name != "nt":  # Windows puts new names on the disk by itself and opens no folders
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def undate(path: Path) -> None:
    """Take the hour of its making out of a zipped document (.docx, .xlsx): the same content is the same file."""
    with ZipFile(path) as made:
        parts = [(name, made.read(name)) for name in made.namelist()]
    with ZipFile(path, "w", ZIP_DEFLATED) as again:
        for name, content in parts:
            settled = _HOUR.sub(rb"\g<1>1980-01-01T00:00:00Z", content) if name == "docProps/core.xml" else content
            again.writestr(ZipInfo(name), settled, ZIP_DEFLATED)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file that appears complete or not at all; text as UTF-8 with plain line ends."""
    with atomic_write(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def locked(folder: Path) -> Iterator[str | None]:
    """Hold the lock of a folder; yields who held it last, if that process ended without giving it back.

    The system itself holds the lock and drops it with the process, so what a dead process leaves does not block.

    Raises:
        UserError: another process writes there.
    """
    writer = folder / WRITER
    lock = FileLock(folder / LOCK, timeout=0, fallback_to_soft=False, preserve_lock_file=True)
    try:
        lock.acquire()
    except Timeout:
        allowed = f"one sweep at a time; {_holder(writer) or 'another process'} is writing there"
        raise UserError("output.dir", folder, allowed) from None
    except (OSError, NotImplementedError) as problem:
        raise UserError("output.dir", folder / LOCK, f"a file system with locks ({problem})") from None
    try:
        left = _holder(writer)
        writer.write_text(f"process {os.getpid()} on {platform.node()}, since {now()},", encoding="utf-8")
        yield left
    finally:
        writer.unlink(missing_ok=True)
        lock.release()


def _holder(writer: Path) -> str | None:
    try:
        return writer.read_text(encoding="utf-8")
    except OSError:
        return None


def disk_problem(folder: Path, problem: OSError, hint: str = "") -> UserError:
    """The one line for a disk that is full or refuses what is written."""
    return UserError("output.dir", folder, f"a disk that takes it ({problem.strerror or problem}){hint}")


def now() -> str:
    """The time in UTC as manifests hold it, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def json_text(content: object, indent: int = 2) -> str:
    """JSON as files hold it. ValueError where a number is NaN or infinite: JSON has none."""
    return json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table as CSV, one column per key of the first row; None becomes an empty cell, texts are defused.

    >>> csv_text([{"a": 1, "b": None}])
    'a,b\\n1,\\n'
    """
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: defused(value) for key, value in row.items()} for row in rows)
    return file.getvalue()


def defused(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe before it.

    >>> defused("=1+1"), defused("-0.5"), defused(-0.5), defused("no_order")
    ("'=1+1", '-0.5', -0.5, 'no_order')
    """
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def yaml_text(tree: Mapping[str, Any], width: int = 80) -> str:
    """A mapping as YAML, keys in their order."""
    return yaml.safe_dump(dict(tree), sort_keys=False, allow_unicode=True, width=width)


def write_dataset(path: Path, data: "xr.Dataset") -> None:
    """Write a dataset as compressed netCDF."""
    packed = {str(key): {"zlib": True, "complevel": 4} for key in data.data_vars if data[key].ndim}
    data.to_netcdf(path, engine="h5netcdf", encoding=packed)


def text_hash(content: bytes | str, size: int = 8) -> str:
    """Checksum of a text: `size` bytes of BLAKE2b as hexadecimal digits."""
    return hashlib.blake2b(content.encode() if isinstance(content, str) else content, digest_size=size).hexdigest()


def digest(path: Path) -> str:
    """Checksum of a file: 16 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()


def sha256(path: Path) -> str:
    """SHA-256 of a file, read piece by piece.

    Raises:
        OSError: it is no regular file, or cannot be read.
    """
    size_of(path.resolve())
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_regular(path: Path, most: int) -> bytes:
    """The content of a regular file of at most so many bytes; no link is followed, and no device is read.

    Raises:
        OSError: there is none.
    """
    if size_of(path) > most:
        raise OSError(f"{path.name} has more than {most} bytes")
    return path.read_bytes()


def size_of(path: Path) -> int:
    """Bytes of a regular file.

    Raises:
        OSError: there is none; a link or a device is none.
    """
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path.name} is no regular file")
    return found.st_size


def existing_file(key: str, path: Path) -> int:
    """Bytes of a file that a key names.

    Raises:
        UserError: there is none, or it is a folder.
    """
    try:
        bytes_there = path.stat().st_size
    except OSError:
        raise UserError(key, path, "an existing file") from None
    if not path.is_file():
        raise UserError(key, path, "a file; this is a folder")
    return bytes_there


def read_mapping(path: Path, most: int) -> dict[str, Any] | None:
    """The mapping in a regular JSON file of at most so many bytes; None where there is none that can be read."""
    try:
        content = json.loads(read_regular(path, most))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


class HashingFile:
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
        """Say that nothing more comes; the caller closes the file."""
        self.closed = True

    @property
    def digest(self) -> str:
        """Checksum so far."""
        return self._hash.hexdigest()
