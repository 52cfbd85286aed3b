"""The order of the day, and every decision in it that uses a random number, in one append-only table.

Both are the same in every engine. Before the day the timeline gives the external inputs, after it the evening's state
is recorded. Each actor knows its own state of today and that of all others as of yesterday evening, so no order among
the wings can matter.

A random number is addressed by (seed, run, day, actor, decision). Numbers once given are never given to another
decision: that would change the random numbers of every published run. Four decisions in a row that start at a multiple
of four share one block of the generator, so what a wing or a state decides most days stands together.
"""

from typing import Final

STEPS: Final = (
    "patron_assesses",
    "mediators_press",
    "groups_decide",
    "militias_adapt",
    "militias_attack",
    "attacks_land",
    "target_responds",
    "strikes_land",
    "ladder_moves",
)
"""Names of the functions or methods that simulate one day, in order."""


# A militia wing. The k-th attack of a day (k from 0) has decision base + k.
COUNT: Final = 0
FATE: Final = 1
INJURED: Final = 128
KILLED: Final = 256

# A group of wings. The place of the day in the address is taken by the number of the episode.
PAUSE: Final = 0

# A theatre. Four days share a place: that of the day is day // 4, the decision base + day % 4.
BURST: Final = 0
DAYS_IN_PLACE: Final = 4

# The weight of a theatre. Four weeks share a place: that of the week is week // 4, the decision base + week % 4.
WEIGHT: Final = 0
WEEKS_IN_PLACE: Final = 4

# The target.
LIMITED: Final = 0
LEADER: Final = 1
ATTRIBUTION: Final = 2
WHOM: Final = 3

# The patron.
RELEASE: Final = 0
ANSWER: Final = 1
WAR: Final = 2

CHANCE_DECIDES: Final = {
    "a wing": {
        "COUNT": "how many attacks it makes",
        "FATE": "what becomes of its attack k",
        "INJURED": "how many its attack k injures",
        "KILLED": "how many its attack k kills",
    },
    "a group": {"PAUSE": "how long an episode of fighting or of pausing lasts"},
    "a theatre": {"BURST": "the shock to all its attack rates, on day 4 n + k at place n"},
    "the weight of a theatre": {"WEIGHT": "what changes its share of the attacks, in week 4 n + k at place n"},
    "the target": {
        "LIMITED": "whether a limited response comes",
        "LEADER": "whether a chance to strike a leader comes",
        "ATTRIBUTION": "whether its response goes by recent attacks",
        "WHOM": "which wing it hits",
    },
    "the patron": {
        "RELEASE": "how long an order to hold back stands",
        "ANSWER": "whether it openly answers acts against itself",
        "WAR": "when direct war breaks out",
    },
}
"""Who takes each random decision, and what is drawn."""

MAX_ATTACKS: Final = 127
"""Most attacks that one wing makes in a day: FATE + k stays below INJURED."""

GROUP: Final = "group "
"""What stands before the name of a group where it draws."""
THEATRE: Final = "theatre "
"""What stands before the key of a theatre where it draws."""
WEIGHT_OF: Final = "weight of theatre "
"""What stands before the key of a theatre where its weight draws."""
PATRON: Final = "patron"
TARGET: Final = "target"
"""Names under which the two states draw; a wing may not be called so."""
