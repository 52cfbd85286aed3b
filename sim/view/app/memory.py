"""Memory that is free: the C library keeps what threads let go of, and gives it back to the machine only when told."""

import ctypes
import sys
from typing import Final

EVERY: Final = 15_000
"""Milliseconds between two times of giving back."""


def give_back() -> None:
    """Give back what is free, where the library of this system has a way to."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
