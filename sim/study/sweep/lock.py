"""One process at a time writes to a store; a process that dies leaves no lock behind that holds."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from sim.world.errors import UserError

LOCK: Final = ".lock"
_LATE: Final = 2**30
"""Where Windows locks its byte, so that others may still read who holds it."""


@contextmanager
def locked(folder: Path) -> Iterator[str | None]:
    """Hold the lock of a store; yields who held it last, if that process ended without saying so.

    The system itself holds the lock and drops it with the process, so a stale lock is a name in a file that nobody
    locks.

    Raises:
        UserError: another process writes to the store.
    """
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        if not _take(file):
            raise UserError("output.dir", folder, f"one sweep at a time; {_holder(file)} is writing there")
        left = _holder(file) if _read(file) else None
        _write(file, json.dumps(_me()))
        try:
            yield left
        finally:
            _write(file, "")
            _drop(file)


def _me() -> dict[str, Any]:
    return {"process": os.getpid(), "host": platform.node(), "since": datetime.now(UTC).isoformat(timespec="seconds")}


def _holder(file: IO[str]) -> str:
    try:
        held = json.loads(_read(file))
        return f"process {held['process']} on {held['host']}, since {held['since']},"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _write(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _take(file: IO[str]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(_LATE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as problem:
        raise UserError("output.dir", file.name, f"a file system that knows locks ({problem.strerror})") from None
    return True


def _drop(file: IO[str]) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(_LATE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_UN)
