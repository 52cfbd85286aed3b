"""What a figure and a table say of boxes, in words."""

from typing import TYPE_CHECKING

from sim.study.outcomes import OUTCOMES_BY_NAME

if TYPE_CHECKING:
    from sim.study.discovery.condition import Condition
    from sim.study.discovery.discovering import Box


def case_words(condition: "Condition") -> str:
    """What is looked for, as people say it: `direct war`, `lull_days < 14`."""
    return "direct war" if condition.text == "war" else condition.text


def meaning(condition: "Condition") -> str:
    """The outcome of a condition in a sentence; nothing where it is none of ours."""
    outcome = OUTCOMES_BY_NAME.get(condition.outcome)
    return "" if outcome is None else f"{outcome.name}: {outcome.text} ({outcome.unit})"


def in_words(condition: "Condition") -> str:
    """What the outcome of a comparison is, to stand behind it; nothing where its name says it."""
    outcome = OUTCOMES_BY_NAME.get(condition.outcome)
    return "" if outcome is None or condition.text == condition.outcome else f" ({outcome.text.partition(',')[0]})"


def percent(share: float) -> str:
    """A share, with as many places as it needs.

    >>> percent(0.1234), percent(0.01234), percent(0.0)
    ('12%', '1.2%', '0%')
    """
    return f"{share:.0%}" if share >= 0.095 or share == 0.0 else f"{share:.1%}"


def box_words(box: "Box") -> str:
    """A box in a line: how large it is, what it covers, how dense it is, all in the half in which nobody looked."""
    held = box.held_out
    said = (
        f"{percent(held.mass)} of the space holds {percent(held.coverage)} of the cases;"
        f" {percent(held.density)} ± {percent(box.error)} of histories in it, {percent(box.elsewhere)} elsewhere"
    )
    return said if box.believed else f"{said}. Not shown to be more than chance"
