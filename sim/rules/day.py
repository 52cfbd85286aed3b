"""The order of the day, the same in every engine.

Before it the timeline says what comes from outside, after it the evening's state is recorded. Whoever acts knows its
own state of today and everybody else's of yesterday evening, so no order among the wings can matter.
"""

from typing import Final

STEPS: Final = (
    "patron_assesses",
    "mediators_press",
    "militias_adapt",
    "militias_attack",
    "attacks_land",
    "target_responds",
    "strikes_land",
    "ladder_moves",
)
"""Names of the functions or methods that live one day, in order."""
