"""Where extensions take part in a day: here nothing happens, and compiled nothing is left of it.

Engines built with an extension have another module in place of this one, with the same names. What the three arguments
are is the affair of the engine that calls.
"""

from typing import Any, Final

from sim.numbers.compiled import part

PLAIN: Final = False
"""Whether the lanes apply every rule as the oracle does, with no work left out and no products taken ahead."""
WATCHED: Final = False
"""Whether the lanes keep every state of every day in memory, for somebody reads it."""


@part
def morning(world: Any, memory: Any, day: Any) -> None:
    """Before the patron assesses."""


@part
def orders(world: Any, memory: Any, day: Any) -> None:
    """Once the patron has given orders, before the mediators press."""


@part
def attacks(world: Any, memory: Any, day: Any) -> None:
    """Once attacks have landed, before the target responds."""


@part
def evening(world: Any, memory: Any, day: Any) -> None:
    """Once the ladder has moved, before the day is recorded."""
