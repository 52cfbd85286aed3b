"""What is looked for: an outcome, a comparison, a number. Nothing is evaluated as code."""

import operator
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.rules.outcomes import NEVER
from sim.world.errors import UserError, one_of

Array = npt.NDArray[Any]

KEY: Final = "discover.where"
ALLOWED: Final = "OUTCOME, or OUTCOME < <= > >= == or != NUMBER, such as war or 'lull_days<14'"

_COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_FORM: Final = re.compile(r"(\w+)\s*(?:(<=|>=|==|!=|<|>)\s*([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?))?")


@dataclass(frozen=True)
class Condition:
    """The histories that are looked for: those whose `outcome` compares so with `number`."""

    outcome: str
    sign: str
    number: float
    text: str

    @property
    def slug(self) -> str:
        """A name that any file system takes.

        >>> condition("lull_days < 14", {"lull_days": "days"}).slug
        'lull_days-below-14'
        """
        words = {"<": "below", "<=": "to", ">": "above", ">=": "from", "==": "is", "!=": "not"}
        number = f"{self.number:g}".replace("+", "")
        return self.outcome if self.text == self.outcome else f"{self.outcome}-{words[self.sign]}-{number}"

    def holds(self, values: Array, unit: str) -> Array:
        """Which histories (any shape) it holds for; a day that never came lies beyond every other day.

        >>> condition("war_day<120", {"war_day": "day"}).holds(np.array([-1, 110, 130]), "day")
        array([False,  True, False])
        """
        days = np.where(values == NEVER, np.inf, values) if unit == "day" else values
        return np.asarray(_COMPARISONS[self.sign](days, self.number), dtype=bool)


def condition(text: str, units: dict[str, str]) -> Condition:
    """Read a condition on one of the outcomes whose `units` are given.

    >>> condition("war", {"war": "probability"})
    Condition(outcome='war', sign='==', number=1.0, text='war')

    Raises:
        UserError: it is none, names no outcome, or names one that is neither 0 nor 1 and compares it with nothing.
    """
    bare = text.strip().strip("'\"").strip()
    found = _FORM.fullmatch(bare)
    if found is None:
        raise UserError(KEY, text, ALLOWED)
    outcome, sign, number = found.groups()
    _check(outcome, text, units)
    if sign is None:
        if units[outcome] != "probability":
            raise UserError(KEY, text, f"a comparison such as '{outcome}<14'")
        return Condition(outcome, "==", 1.0, bare)
    return Condition(outcome, sign, float(number), f"{outcome} {sign} {float(number):g}")


def _check(outcome: str, text: str, names: Collection[str]) -> None:
    if outcome not in names:
        raise UserError(KEY, text, f"outcomes: {one_of(names, outcome)}")
