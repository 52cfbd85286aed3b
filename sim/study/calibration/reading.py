"""How a reported figure comes from what happened: for each way of reading, its likelihood and a way to report.

A reading turns the number behind a figure into what is reported. `likely` is the probability of the report given the
number; `report` draws a report for it. Both say the same thing, one in closed form and one by chance, and the check of
calibration compares them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[Any]


class Reading(Protocol):
    """One way to read a figure."""

    @property
    def drawn(self) -> bool:
        """Whether chance takes part, so that one number may be reported in several ways."""

    @property
    def told(self) -> float:
        """What was reported."""

    @property
    def words(self) -> str:
        """The reading in words."""

    def likely(self, number: Array, chance: Array, told: float) -> Array:
        """Probability (N,) that `told` is reported where the number is `number` (N,); `chance` (N,) of each killing."""

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """What is reported (N,)."""


@dataclass(frozen=True)
class _Reported:
    """What was reported is a number."""

    reported: float

    @property
    def told(self) -> float:
        """What was reported."""
        return self.reported

    @property
    def words(self) -> str:
        """The reading in words."""
        return f"{self.reported:g}"


class _Certain(ABC):
    """Chance takes no part: a number is reported in one way."""

    drawn: ClassVar[bool] = False

    @abstractmethod
    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """What is reported (N,)."""

    def likely(self, number: Array, chance: Array, told: float) -> Array:
        """1 where what is told is what is reported of the number.

        >>> Exact(2.0).likely(np.array([1.0, 2.0]), np.zeros(2), 2.0)
        array([0., 1.])
        """
        nobody = np.random.default_rng(0)
        return (self.report(number, chance, nobody) == told).astype(np.float64)


class _YesNo(_Certain):
    """What was reported is that the number lies in some range."""

    @property
    def told(self) -> float:
        """1 for yes."""
        return 1.0


@dataclass(frozen=True)
class Exact(_Certain, _Reported):
    """The number itself."""

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """The number."""
        return np.asarray(number)


@dataclass(frozen=True)
class Rounded(_Certain, _Reported):
    """The number rounded down to a multiple of `step`."""

    step: float

    @property
    def words(self) -> str:
        """The reading in words."""
        return f"at least {self.reported:g}, read as {self.reported:g} to below {self.reported + self.step:g}"

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """Multiples of the step.

        >>> Rounded(170.0, 10.0).report(np.array([169.0, 170.0, 179.0]), np.zeros(3), np.random.default_rng(0))
        array([160., 170., 170.])
        """
        return np.asarray(np.floor(number / self.step) * self.step)


@dataclass(frozen=True)
class AtLeast(_YesNo, _Reported):
    """1 where the number is not smaller than what was reported: no more is known."""

    @property
    def words(self) -> str:
        """The reading in words."""
        return f"at least {self.reported:g}, and nothing more"

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """1 for yes, 0 for no."""
        return np.asarray(number >= self.reported, dtype=np.float64)


@dataclass(frozen=True)
class Within(_YesNo):
    """1 where the number lies from `low` to `high`: no more is known."""

    low: float
    high: float

    @property
    def words(self) -> str:
        """The reading in words."""
        return f"{self.low:g} to {self.high:g}"

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """1 for yes, 0 for no."""
        return np.asarray((number >= self.low) & (number <= self.high), dtype=np.float64)


@dataclass(frozen=True)
class Relative(_Reported):
    """The number misjudged by a log-normal factor of deviation `error`, then rounded down to a multiple of `step`."""

    step: float
    error: float
    drawn: ClassVar[bool] = True

    @property
    def words(self) -> str:
        """The reading in words."""
        return f"{self.reported:g} to below {self.reported + self.step:g}, misjudged by {self.error:.0%} or so"

    def likely(self, number: Array, chance: Array, told: float) -> Array:
        """Phi((log(told + step) - log N) / error) - Phi((log told - log N) / error); a number of 0 is reported as 0.

        >>> Relative(170.0, 10.0, 0.05).likely(np.array([0.0, 174.0]), np.zeros(2), 170.0).round(3)
        array([0.  , 0.43])
        """
        safe = np.log(np.maximum(number, 1e-12))
        high = special.ndtr((np.log(told + self.step) - safe) / self.error)
        low = special.ndtr((np.log(told) - safe) / self.error) if told > 0.0 else 0.0
        return np.where(number > 0, high - low, float(told == 0.0))

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """Multiples of the step."""
        misjudged = number * np.exp(self.error * generator.standard_normal(len(number)))
        return np.asarray(np.floor(misjudged / self.step) * self.step)


@dataclass(frozen=True)
class Binomial(_Reported):
    """How many of `number` attacks killed, each with the probability `chance`."""

    drawn: ClassVar[bool] = True

    def likely(self, number: Array, chance: Array, told: float) -> Array:
        """C(n, k) q^k (1 - q)^(n - k).

        >>> Binomial(1.0).likely(np.array([2.0, 0.0]), np.array([0.5, 0.5]), 1.0).round(12)
        array([0.5, 0. ])
        """
        number = np.asarray(number, dtype=np.float64)
        rest = np.maximum(number - told, 0.0)
        ways = special.gammaln(number + 1.0) - special.gammaln(told + 1.0) - special.gammaln(rest + 1.0)
        size = ways + special.xlogy(told, chance) + special.xlog1py(rest, -np.asarray(chance, dtype=np.float64))
        return np.where(number >= told, np.exp(size), 0.0)

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """A draw."""
        return generator.binomial(np.asarray(number, dtype=np.int64), chance).astype(np.float64)


READINGS: Final[dict[str, Callable[..., Reading]]] = {
    "exact": Exact,
    "rounded": Rounded,
    "at_least": AtLeast,
    "relative": Relative,
    "within": Within,
    "binomial": Binomial,
}
"""Ways of reading by the name that the configuration uses."""
