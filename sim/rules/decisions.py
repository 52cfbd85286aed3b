"""Every decision that chance takes, in one append-only table.

A draw is addressed by (seed, run, day, actor, decision). Numbers once given are never given to another decision: that
would change the luck of every published run. Four decisions in a row that start at a multiple of four share one block
of the generator, so what a wing or a state decides most days stands together.
"""

from typing import Final

# A militia wing. The k-th attack of a day (k from 0) has decision base + k.
COUNT: Final = 0
FATE: Final = 1
INJURED: Final = 128
KILLED: Final = 256

# The target.
LIMITED: Final = 0
LEADER: Final = 1
ATTRIBUTION: Final = 2
WHOM: Final = 3

# The patron.
RELEASE: Final = 0
ANSWER: Final = 1
WAR: Final = 2

MAX_ATTACKS: Final = 127
"""Most attacks that one wing makes in a day: FATE + k stays below INJURED."""

PATRON: Final = "patron"
TARGET: Final = "target"
"""Names under which the two states draw; a wing may not be called so."""
