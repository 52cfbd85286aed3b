"""How numbers, shares, dates and names are written: formats of tables, figures, report and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.experiment.dataset import OUTCOMES_BY_NAME
from sim.experiment.formats import short_date
from sim.model.conditions import is_condition
from sim.model.parameters import declaration_of, first_words
from sim.model.scenario import CONDITIONED, DEFAULTS, Config
from sim.model.timeline import Calendar

LONG: Final = 366
"""Days of a calendar from which dates need their year."""


def percent(share: float | None) -> str:
    """A share, small ones with more places; a dash where there is none.

    >>> percent(0.5), percent(0.0312), percent(0.00004), percent(None)
    ('50%', '3.1%', 'under 0.1%', '–')
    """
    if share is None:
        return "–"
    if 0.0 < share < 0.001:
        return "under 0.1%"
    return f"{share:.0%}" if share >= 0.1 or share == 0.0 else f"{share:.1%}"


def share_ends(low: float, high: float, histories: int) -> str:
    """An interval of shares, each of so many histories, in which nothing seen is not impossible.

    >>> share_ends(0.0, 0.2, 50), share_ends(0.1, 0.2, 50)
    ('under 2.0% to 20%', '10% to 20%')
    """
    least = f"under {percent(1 / histories)}"
    return least if high == 0.0 else f"{percent(low) if low else least} to {percent(high)}"


def short_percent(share: float) -> str:
    """The same in six signs at most.

    >>> short_percent(0.0003), short_percent(0.5)
    ('<0.1%', '50%')
    """
    return percent(share).replace("under ", "<")


def amount(value: float | None, unit: str, sign: bool = False) -> str:
    """A number with three digits, a probability in percent, a difference of probabilities in percentage points.

    >>> amount(0.034, "probability"), amount(-12.34, "attacks", sign=True), amount(None, "attacks")
    ('3.4%', '-12.3', '')
    """
    if value is None:
        return ""
    if unit == "probability":
        if sign:
            return f"{100 * value:+.1f} pts" if abs(value) >= 0.0005 else "0 pts"
        return percent(value)
    size = abs(value)
    places = 0 if size >= 100 or float(value).is_integer() else 1 if size >= 1 else 2
    text = f"{value:{'+' if sign else ''},.{places}f}"
    return text if float(text.replace(",", "")) else "0"


def points(value: float | None, unit: str) -> str:
    """A regret: never below zero, probabilities in percentage points.

    >>> points(0.034, "probability"), points(12.0, "attacks")
    ('3.4 pts', '12')
    """
    return f"{100 * (value or 0.0):.1f} pts" if unit == "probability" else amount(value, unit)


def calibration_note(config: Config) -> str:
    """What to say first of a case without a calibration of its own; nothing of one that has it."""
    return "" if config.calibrated else UNCALIBRATED


UNCALIBRATED: Final = (
    "This case has no calibration of its own: its shared parameters come from another case, so these numbers illustrate"
    " the rules and estimate nothing."
)


def span(low: float, high: float, pattern: str = ".2g") -> str:
    """An interval.

    >>> span(0.123, 4.0), span(-1.0, 2.0, "+.1f")
    ('0.12 to 4', '-1.0 to +2.0')
    """
    return f"{low:{pattern}} to {high:{pattern}}"


def on_calendar(value: float | None, unit: str, calendar: Calendar) -> str:
    """A value of an outcome: a date for a day, `never` for a day that does not come."""
    if value is None:
        return "never"
    if unit == "day":
        day = calendar.date_of(int(value))
        return f"{short_date(day)}{f' {day:%y}' if calendar.days > LONG else ''}"
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"


def positional(value: float, digits: int) -> str:
    """A number in so many digits, never as a power of ten.

    >>> positional(0.000063, 2), positional(268.0, 2), positional(-0.164, 2), positional(12.3456, 3), positional(5.0, 2)
    ('0.000063', '270', '-0.16', '12.3', '5')
    """
    return np.format_float_positional(value, precision=digits, fractional=False, trim="-")


def half_width(value: float, high: float) -> str:
    """A number with half the width of its interval.

    >>> half_width(0.512, 0.58), half_width(12.3, 13.5)
    ('0.51 ± 0.07', '12.3 ± 1.2')
    """
    half = high - value
    places = 2 if half < 1 else 1 if half < 10 else 0
    return f"{value:.{places}f} ± {half:.{places}f}"


def odds(value: float | None) -> str:
    """Odds as they are spoken.

    >>> odds(0.5), odds(3.0), odds(None)
    ('1 : 2', '3 : 1', '–')
    """
    if value is None:
        return "–"
    return f"1 : {1 / value:.3g}" if value < 1.0 else f"{value:.3g} : 1"


def minus(text: str) -> str:
    """The text with a proper minus before numbers.

    >>> minus("-3.5 to +2, x-y")
    '−3.5 to +2, x-y'
    """
    return "".join(
        "−" if sign == "-" and text[place + 1 : place + 2].isdigit() and not text[place - 1 : place].isalnum() else sign
        for place, sign in enumerate(text)
    )


def enumerated(names: Sequence[str]) -> str:
    """Names in a row.

    >>> enumerated(["a", "b", "c"])
    'a, b and c'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@dataclass(frozen=True)
class FigureSource:
    """Where a figure comes from, so that it can stand alone.

    Attributes:
        scenarios: titles of what was simulated.
        made: how much was simulated, in words.
        seed: seed of all random numbers.
        data: files that it comes from as well.
        is_what: what it is, and what it is not.
    """

    scenarios: Sequence[str]
    made: str
    seed: int | str
    data: str = ""
    is_what: str = "A model, not a forecast."

    def __str__(self) -> str:
        several = "s" if len(self.scenarios) > 1 else ""
        data = f"{self.data}; " if self.data else ""
        return (
            f"Source: {data}Lull, scenario{several} {enumerated(self.scenarios)}, {self.made}, seed {self.seed}."
            f" {self.is_what}"
        )


def capital(text: str) -> str:
    """The text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


_ARTICLES: Final = {"lull": "a", "resumption": "a", "order": "an"} | dict.fromkeys(
    ("first", "release", "highest"), "the"
)
"""Articles before titles of conditions, by their first word."""


def inside(title: str) -> str:
    """The title of a condition as it stands inside a sentence.

    >>> inside("Lull of at least 90 days"), inside("At least 10 soldiers killed")
    ('a lull of at least 90 days', 'at least 10 soldiers killed')
    """
    words = title[:1].lower() + title[1:]
    return f"{_ARTICLES.get(words.partition(' ')[0], '')} {words}".lstrip()


def sets_from(source: str, sets: int) -> str:
    """Where the parameters of a number come from, so that two numbers of one question cannot be confused.

    >>> sets_from("defaults", 1), sets_from("posterior", 1500)
    ("at the scenario's own parameter values", 'over 1,500 parameter sets from the posterior')
    """
    if source == DEFAULTS:
        return "at the scenario's own parameter values"
    origin = "posterior and histories that fit the observations" if source == CONDITIONED else source
    return f"over {sets:,} parameter set{'s' * (sets > 1)} from the {origin}"


def shortened(text: str, most: int = 62) -> str:
    """A text cut at a word.

    >>> shortened("a lull may end", 7)
    'a lull …'
    """
    return text if len(text) <= most else f"{text[:most].rpartition(' ')[0]} …"


def unit_words(unit: str) -> str:
    """A unit as it is said after a number.

    >>> unit_words("1"), unit_words("1/(rung day)"), unit_words("attacks/day"), unit_words("1 per strike")
    ('', ' per rung and day', ' attacks per day', ' per strike')
    """
    if unit == "1":
        return ""
    above, sign, below = unit.removeprefix("1 ").partition("/")
    if not sign:
        return f" {above}"
    per = " and ".join(below.strip("()").split())
    return f" per {per}" if above == "1" else f" {above} per {per}"


def outcome_title(name: str, text: str = "") -> str:
    """An outcome by its declared title, a condition by its text; one of an extension by the first words of its text.

    >>> outcome_title("lull_days"), outcome_title("calm", "days of calm, cut at war")
    ('Days until attacks resume', 'Days of calm')
    """
    known = OUTCOMES_BY_NAME.get(name)
    if known is not None:
        return known.title
    return text if is_condition(name) and text else first_words(text or name)


def parameter_title(key: str, text: str = "") -> str:
    """A parameter by its declared title; one of an extension by the first words of its text.

    >>> parameter_title("militia.nujaba_iraq.autonomy"), parameter_title("weariness.reach", "reach of a death; a toy")
    ('Autonomy, nujaba iraq', 'Reach of a death')
    """
    known, (kind, *rest) = declaration_of(key), key.split(".")
    actor = f", {rest[0].replace('_', ' ')}" if kind in ("militia", "theatre") else ""
    return f"{known.title}{actor}" if known else first_words(text or key)


def quantity_title(name: str) -> str:
    """What was fitted: a parameter by its title, a scale of the observations by its name."""
    return parameter_title(name) if declaration_of(name) else name


def code(text: str) -> str:
    """The text set as code in Markdown."""
    return f"`{text}`"
