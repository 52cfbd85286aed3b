"""Hashes of sources."""

import pytest

from sim.numbers.fingerprint import hash_of


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    assert len(hash_of(("rules/**/*.py",))) == 16
    with pytest.raises(FileNotFoundError, match=r"study/gone\.py"):
        hash_of(("rules/**/*.py", "study/gone.py"))
