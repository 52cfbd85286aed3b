"""What a user asks of a history: an outcome with a date or a threshold, read from a text and never evaluated as code.

    EVENT by DATE | EVENT after DATE | EVENT from DATE to DATE
    OUTCOME < <= > >= == != NUMBER
    attacks|acknowledged [in THEATRE] [by DATE | after DATE | from DATE to DATE] [< <= > >= == != NUMBER]

An event is an outcome that is a day, such as `war_day`, with or without its ending. `after` holds where it comes later
or never. Direct war ends a history: what would have come after it does not come.
"""

import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any, Final, NamedTuple

from sim.model.cast import Cast
from sim.model.declared_outcomes import Outcome
from sim.model.timeline import Calendar, long_date, long_dates
from sim.model.validation import UserError, one_of

Array = Any
"""An array of NumPy's, which this module does without."""

COUNTS: Final = {"attacks": "attacks", "acknowledged": "acknowledged attacks"}
"""What is counted by theatre and day, in the order of the engine's record, with its words."""
UNTIL: Final = ("lull_days", "quiet_days")
"""Outcomes that count days from the strikes, until the calendar ends at the latest."""
EXAMPLES: Final = "'war by 2024-06-01', 'lull_days >= 90' or 'acknowledged in syria from 2024-02-03 to 2024-02-27 <= 2'"

SIGNS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_IN_WORDS: Final = {
    "<": "less than {}", "<=": "at most {}", ">": "more than {}", ">=": "at least {}", "==": "exactly {}",
    "!=": "not {}",
}  # fmt: skip
_ON_DAYS: Final = {
    "<": "before day {}", "<=": "by day {}", ">": "after day {}, or never", ">=": "on day {} or later, or never",
    "==": "on day {}", "!=": "not on day {}",
}  # fmt: skip
_IN_NAMES: Final = {"<": "below", "<=": "to", ">": "above", ">=": "from", "==": "is", "!=": "not"}
NEVER_AS: Final = 10**6
"""What is added to the day of what never came, so that it lies beyond every other."""
_DATES: Final = ("by", "after", "from")
_TOKEN: Final = re.compile(r"\s*(<=|>=|==|!=|<|>|=|≤|≥|[^\s<>=!≤≥]+|.)")
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_SPELLED: Final = {"=": "==", "≤": "<=", "≥": ">="}


class Window(NamedTuple):
    """Attacks that are counted: the place in `COUNTS`, places of theatres, first and last day."""

    kind: int
    theatres: tuple[int, ...]
    first: int
    last: int


@dataclass(frozen=True)
class Condition:
    """What is asked: whether an outcome passes all tests; without tests, the count of attacks itself.

    `outcome` is the recorded or derived one, or one of `COUNTS`, with its `unit`; `words` say when, or what is counted.
    """

    text: str
    outcome: str
    unit: str
    tests: tuple[tuple[str, float], ...]
    words: str = ""
    window: Window | None = None

    @property
    def slug(self) -> str:
        """A name that any file system takes.

        >>> read("lull_days < 14", {"lull_days": "days"}).slug, read("war", {"war": "probability"}).slug
        ('lull_days-below-14', 'war')
        """
        text = self.text
        for sign, word in _IN_NAMES.items():
            text = text.replace(f" {sign} ", f" {word} ")
        return re.sub(r"[^\w.]+", "-", text)

    def title(self, known: Mapping[str, Outcome]) -> str:
        """It in words; `known` are the outcomes by name.

        >>> known = {"deaths": Outcome("deaths", "soldiers", "", "Soldiers killed")}
        >>> read("deaths>=10", {"deaths": "soldiers"}).title(known), read("deaths<=1", {"deaths": ""}).title(known)
        ('At least 10 soldiers killed', 'At most 1 soldier killed')
        """
        of = known.get(self.outcome.removesuffix("_day"), known.get(self.outcome, Outcome(self.text, "", self.text)))
        of_title = of.title or of.text
        if self.unit == "day":
            return f"{of_title} {self.words}"
        if self.text == self.outcome and self.boolean:
            return of_title
        plural = of.unit.endswith("s") and of.unit in of_title.lower()
        own = f"{{}} {of_title[:1].lower()}{of_title[1:]}" if plural else f"{of_title} of {{}}"
        words, amount = self.words or of.compared or own, ""
        for sign, number in self.tests:
            counts = words.startswith("{}")
            words = re.sub(r"s\b", "", words, count=1) if number == 1 else words
            amount = ("fewer than {}" if counts and sign == "<" else _IN_WORDS[sign]).format(f"{number:g}")
        words = words.format(amount).strip()
        return words[:1].upper() + words[1:]

    @property
    def boolean(self) -> bool:
        """Whether it holds or not; else it is a count."""
        return bool(self.tests)

    def of(self, values: Array) -> Array:
        """Whether it holds (any shape) by values of the outcome; a day that never came lies beyond every other day.

        >>> import numpy as np
        >>> read("war_day<120", {"war_day": "day"}).of(np.array([-1, 110, 130])).tolist()
        [False, True, False]
        """
        if not self.tests:
            return values
        numbers = values + (values < 0) * NEVER_AS if self.unit == "day" else values
        return reduce(operator.and_, (SIGNS[sign](numbers, number) for sign, number in self.tests))


def is_condition(name: str) -> bool:
    """Whether the name of a measure is the text of a condition: no other name has blanks.

    >>> is_condition("war by 2024-06-01"), is_condition("attacks_lull")
    (True, False)
    """
    return " " in name


def windows_of(asked: Sequence[Condition]) -> tuple[Window, ...]:
    """The stretches of days in which attacks have to be counted, each once."""
    return tuple(dict.fromkeys(one.window for one in asked if one.window is not None))


class Reader:
    """The tokens of one text, one after the other."""

    def __init__(self, key: str, text: str) -> None:
        self.key, self.text = key, text
        self.tokens: list[str] = [_SPELLED.get(one, one) for one in _TOKEN.findall(text)]
        self.at = 0

    def peek(self) -> str:
        """The next token; empty at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        """The next token, which is then behind."""
        token = self.peek()
        self.at += 1
        return token

    def refusal(self, allowed: str) -> UserError:
        """The error at the token that was taken last: it is named, with what may stand there."""
        token = self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""
        where = f'for "{token}"' if token else "at the end"
        return UserError(self.key, self.text, f"{where}: {allowed}")

    def choice(self, names: Collection[str]) -> str:
        """One of some words."""
        token = self.take()
        token = token if token in names else token.lower()
        if token not in names:
            raise self.refusal(one_of(names, token))
        return token

    def end(self, example: str) -> None:
        """Refuse what comes after the end."""
        if self.peek():
            self.take()
            raise self.refusal(f"nothing more, as in {example}")

    def is_number(self) -> bool:
        """Whether the next token is a number."""
        return bool(_NUMBER.fullmatch(self.peek()))

    def number(self) -> float:
        """A number."""
        token = self.take()
        if not _NUMBER.fullmatch(token):
            raise self.refusal("a number")
        return float(token)

    def day(self, calendar: Calendar | None) -> int:
        """A date within the calendar, as the number of its day."""
        token = self.take()
        if calendar is None:
            raise self.refusal("no date: results that are kept already can be compared with numbers alone")
        last = calendar.date_of(calendar.days - 1)
        try:
            day = calendar.day_of(date.fromisoformat(token))
        except ValueError:
            raise self.refusal(f"a date from {calendar.start} to {last}") from None
        if not 0 <= day < calendar.days:
            raise self.refusal(f"a date within the calendar, {calendar.start} to {last}")
        return day

    def last_day(self, first: int, calendar: Calendar) -> int:
        """The end of a stretch of days that begins on `first`: `to` and a date that is no earlier."""
        self.choice(["to"])
        last = self.day(calendar)
        if last < first:
            raise self.refusal(f"{calendar.date_of(first)} or later")
        return last


def read(
    text: str, units: Mapping[str, str], calendar: Calendar | None = None, cast: Cast | None = None,
    key: str = "outcomes", alone: Collection[str] = (),
) -> Condition:  # fmt: skip
    """Read a condition.

    Args:
        text: as the user writes it.
        units: unit of every outcome by name.
        calendar: the days that dates are to lie in; None where no dates can be asked.
        cast: the theatres in which attacks may be counted; None where they cannot.
        key: the key under which it was written.
        alone: names that may be asked alone, and are no conditions.

    Raises:
        UserError: something in it cannot be read; the token, and the nearest word.

    >>> read("war", {"war": "probability"}).tests, read("deaths>=10", {"deaths": "soldiers"}).text
    ((('==', 1.0),), 'deaths >= 10')
    """
    reader = Reader(key, text.strip().strip("'\"").strip())
    events = {one.removesuffix("_day"): one for one, unit in units.items() if unit == "day"}
    counts = {} if cast is None or calendar is None else COUNTS
    name = reader.take()
    name = name if name in units else name.lower()
    dated = reader.peek() in _DATES
    if name in counts and calendar is not None and cast is not None:
        found = _counted(reader, name, calendar, cast)
    elif name in units and not (dated and name in (*events, *events.values())):
        found = _compared(reader, name, units, (*events, *counts), calendar)
    elif name in events or name in events.values():
        found = _dated(reader, events.get(name, name), calendar)
    else:
        raise reader.refusal(f"outcomes: {one_of(dict.fromkeys((*units, *events, *counts, *alone)), name)}")
    reader.end(EXAMPLES)
    return found


def _dated(reader: Reader, outcome: str, calendar: Calendar | None) -> Condition:
    """An event by, after or between days."""
    tests, when, words = _dates(reader, calendar)
    never = ", or never" if tests[0][0] == ">" else ""
    return Condition(f"{outcome.removesuffix('_day')} {when}", outcome, "day", tests, f"{words}{never}")


def _dates(reader: Reader, calendar: Calendar | None) -> tuple[tuple[tuple[str, float], ...], str, str]:
    """The tests of a day, as a user writes them, and in words."""
    word = reader.choice(_DATES)
    first = reader.day(calendar)
    assert calendar is not None  # or the day was refused
    began = calendar.date_of(first)
    if word == "by":
        return (("<=", float(first)),), f"by {began}", f"by {long_date(began)}"
    if word == "after":
        return ((">", float(first)),), f"after {began}", f"after {long_date(began)}"
    last = reader.last_day(first, calendar)
    ended = calendar.date_of(last)
    tests = ((">=", float(first)), ("<=", float(last)))
    return tests, f"from {began} to {ended}", f"from {long_dates(began, ended)}"


def _compared(
    reader: Reader, name: str, units: Mapping[str, str], datable: Sequence[str], calendar: Calendar | None
) -> Condition:
    """An outcome compared with a number; alone where it is a probability."""
    if reader.peek() in _DATES:
        reader.take()
        raise reader.refusal(f"a comparison such as {name} >= 10; a date can be asked of {', '.join(datable)}")
    if not reader.peek():
        if units[name] != "probability":
            reader.take()
            raise reader.refusal(f"a comparison such as '{name} < 14'")
        return Condition(name, name, units[name], (("==", 1.0),))
    sign = reader.choice((*SIGNS, *_DATES) if name in datable else SIGNS)
    number = reader.number()
    if name in UNTIL and calendar is not None and number > (longest := calendar.days - calendar.strikes):
        raise reader.refusal(f"up to {longest} days: the calendar ends then, and of a longer time nothing is known")
    words = _ON_DAYS[sign].format(f"{number:g}") if units[name] == "day" else ""
    return Condition(f"{name} {sign} {number:g}", name, units[name], ((sign, number),), words)


def _counted(reader: Reader, name: str, calendar: Calendar, cast: Cast) -> Condition:
    """Attacks counted in a stretch of days, in one theatre or in all where the target is attacked."""
    theatres = cast.target_places
    text, words = name, f"{{}} {COUNTS[name]}"
    if reader.peek() == "in":
        reader.take()
        theatre = reader.choice(tuple(cast.theatres))
        theatres = [cast.theatre_index(theatre)]
        text, words = f"{name} in {theatre}", f"{words} in {cast.theatres[theatre].name}"
    first, last = 0, calendar.days - 1
    if reader.peek() in _DATES:
        tests, when, in_words = _dates(reader, calendar)
        low = [int(number) + (sign == ">") for sign, number in tests if sign in (">", ">=")]
        high = [int(number) for sign, number in tests if sign == "<="]
        first, last = max([first, *low]), min([last, *high])
        text, words = f"{text} {when}", f"{words} {in_words}"
    window = Window(list(COUNTS).index(name), tuple(theatres), first, last)
    if not reader.peek():
        if text == name:  # so that a bare count has a name of its own
            text, words = f"{text} by {calendar.date_of(last)}", f"{words} by {long_date(calendar.date_of(last))}"
        return Condition(text, name, "attacks", (), words, window)
    sign = reader.choice(SIGNS)
    number = reader.number()
    return Condition(f"{text} {sign} {number:g}", name, "attacks", ((sign, number),), words, window)
