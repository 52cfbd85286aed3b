"""An attribution as a table and in sentences."""

import math
from typing import Final

from rich.table import Table

from sim.study.attribution.attributed import Attributed, Attribution, Share
from sim.view.tables import table

MECHANISM_WORDS: Final = {
    "rival_war_gate": "attacks hang on the rival's war",
    "fear": "strikes frighten the militias",
    "grievance": "strikes embitter the militias",
    "capacity": "capacity wears out",
    "patron_restraint": "the patron orders restraint",
    "threat_fear": "threats frighten the patron",
    "autonomy": "militias have a will of their own",
    "mediation": "mediators press the militias",
    "limited_response": "the target's limited strikes",
    "major_response": "the target's major strikes",
    "target_restraint": "the target spares leaders in the calm",
    "observation": "some attacks go unacknowledged",
}
"""The mechanisms as a reader knows them."""


def attribution_table(found: Attribution) -> Table:
    """Mechanisms by the size of their share."""
    unit = found.game.measured.unit
    numbers = {"fair share": 14, "nine in ten draws": 17, "alone": 14, "but for it": 14}
    made = table(f"Shares, in {unit}", {"mechanism": 33, **numbers}, right=tuple(numbers))
    digits = digits_of(found.total.mean)
    for one in found.ranked():
        told = [with_error(part, digits) for part in (one.shapley, one.alone, one.but_for)]
        made.add_row(MECHANISM_WORDS[one.mechanism], told[0], spread(one.shapley, digits), *told[1:])
    return made


def digits_of(size: float) -> int:
    """Digits after the point that tell a thousandth of a size.

    >>> digits_of(61.2), digits_of(0.04), digits_of(0.0)
    (1, 4, 3)
    """
    return 3 if size == 0.0 else max(0, 2 - math.floor(math.log10(abs(size))))


def with_error(one: Share, digits: int) -> str:
    """Mean with its Monte Carlo error; a share that is exactly zero has none."""
    return "0" if one.mean == 0.0 == one.error else f"{one.mean:+.{digits}f} ± {one.error:.{digits}f}"


def spread(one: Share, digits: int) -> str:
    """Where nine in ten draws lie."""
    if one.low is None or one.high is None:
        return "–"
    return "0" if one.low == 0.0 == one.high else f"{one.low:+.{digits}f} to {one.high:+.{digits}f}"


def total_line(found: Attribution) -> str:
    """From none to all."""
    unit, digits = found.game.measured.unit, digits_of(found.total.mean)
    none, every = (f"{one.mean:.{digits}f}" for one in (found.none, found.every))
    return (
        f"Together: from {none} with no mechanism at work to {every} {unit} with all of them,"
        f" {with_error(found.total, digits)}. Fair shares (Shapley values) add up to it."
    )


def before_line(found: Attribution) -> str:
    """What assumptions alone make of the outcome; empty where they do not decide it."""
    if found.before is None:
        return ""
    unit, digits = found.game.measured.unit, digits_of(found.total.mean)
    return (
        "Assumptions decide this outcome, whatever the figures: with all mechanisms it is"
        f" {found.before:.{digits}f} {unit} under the priors alone, {found.every.mean:.{digits}f} here."
    )


def reading(found: Attribution) -> str:
    """What the columns say of the largest two shares."""
    first, *others = found.ranked()
    parts = [f"Largest: {MECHANISM_WORDS[first.mechanism]} ({_role(first)})"]
    if others:
        parts.append(f"then {MECHANISM_WORDS[others[0].mechanism]} ({_role(others[0])})")
    return "; ".join(parts) + "."


def _role(one: Attributed) -> str:
    """Whether a mechanism brings its share by itself, with others, or in place of others."""
    by_itself = abs(one.alone.mean) > 2 * one.alone.error
    missed = abs(one.but_for.mean) > 2 * one.but_for.error
    if by_itself and missed:
        return "works alone, and is missed where the others are there"
    if by_itself:
        return "works alone, but others stand in for it"
    return "works only together with others, and is missed" if missed else "works only in some combinations"
