"""A few short histories of both engines as one digest: `python -m tests.engine.digest` prints it."""

import hashlib
from dataclasses import replace

from sim.engine.inputs import build_inputs
from tests.engine.rows import Row, between, by_kernel, by_reference, changed, design
from tests.engine.worlds import world

RUN = 2**32 + 7
DAYS = {"article": (98, 112), "strike_iran": (98, 112), "salt_coast": (90, 104)}
"""Days around the documented deaths and strikes: everybody has something to decide."""


def histories() -> list[Row]:
    """Short histories, as configured and in random rows."""
    rows = []
    for place, (name, days) in enumerate(DAYS.items()):
        shipped = world(f"scenario={name}")
        rows.append(Row(shipped, between(build_inputs(shipped), *days), 0, 2**40 + 3, RUN))
        other = replace(changed(shipped, place), free_from=100)
        table = build_inputs(other, design(other, [place, place + 50]))
        rows += [Row(other, between(table, *days), point, 5, RUN + point) for point in (0, 1)]
    return rows


def digest() -> tuple[str, str]:
    """Digest of the states of all histories, from the kernel and from the reference model."""
    digests = []
    for states in (by_kernel, by_reference):
        found = hashlib.blake2b(digest_size=16)
        for row in histories():
            for part in states(row):
                found.update(part.tobytes())
        digests.append(found.hexdigest())
    return digests[0], digests[1]


if __name__ == "__main__":
    print(*digest())
