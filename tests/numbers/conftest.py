import platform
import re
from collections.abc import Callable
from typing import Any

import pytest
from numba import njit

from tests.numbers import loops

KEPT_OPTIONS = frozenset({"nogil", "error_model", "fastmath"})


class Assembly:
    """What the machine code of a compiled function does, for a signature or else the first it was called with."""

    def __init__(self, compiled: Any, signature: Any = None) -> None:
        # Code that comes from the cache cannot be inspected, so it is compiled anew with the same options.
        options = {name: value for name, value in compiled.targetoptions.items() if name in KEPT_OPTIONS}
        fresh = njit(**options)(compiled.py_func)
        fresh.compile(signature or compiled.signatures[0])
        self.text: str = fresh.inspect_asm(fresh.signatures[0])

    def in_vectors(self, operation: str) -> bool:
        """Whether the operation is done on registers of 256 bits or more."""
        return re.search(rf"\bv{operation}\s.*%[yz]mm", self.text) is not None

    def fuses(self) -> bool:
        """Whether some product and sum share one rounding."""
        return re.search(r"\bvfn?m(add|sub)", self.text) is not None

    def library_calls(self) -> set[str]:
        """Functions of the platform's mathematical library that are called."""
        names = "exp2?|log|log2|log1p|pow|fma|ldexp|frexp|floor"
        return set(re.findall(rf"(?:\$|call\w*\s+)_*({names})(?:@\w+)?\b", self.text))


READABLE = platform.machine().lower() in {"x86_64", "amd64"} and hasattr(loops.exp_loop, "inspect_asm")
"""Whether there is assembly, and of a kind that these tests understand."""


@pytest.fixture
def assembly() -> Callable[[Any], Assembly]:
    if not READABLE:
        pytest.skip("reads compiled code for x86 processors")
    return Assembly
