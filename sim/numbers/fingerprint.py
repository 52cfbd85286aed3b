"""Hashing the package's own sources: whether the code that computed something is still the code that is here."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path


@cache
def hash_of(patterns: Iterable[str]) -> str:
    """Hash of the sources that match the patterns, names included: 16 hexadecimal digits, the same on every machine.

    `patterns` is a tuple of globs within the package, such as `rules/**/*.py`; their order counts.

    Raises:
        FileNotFoundError: a pattern matches nothing, so that a file that moved cannot drop out unseen.
    """
    package = Path(__file__).parents[1]
    digest = hashlib.blake2b(digest_size=8)
    for pattern in patterns:
        found = sorted(package.glob(pattern))
        if not found:
            raise FileNotFoundError(f"no source matches {pattern}")
        for path in found:
            digest.update(path.relative_to(package).as_posix().encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
