"""What a calibration fits to: the observations, how each comes from what happened, and the settings around them.

An observation model turns the number behind an observation into what is reported. `pmf` is the probability of the
report given the number; `report` draws a report for it. Both say the same thing, one in closed form and one by chance,
and simulation-based calibration compares them.

Dated counts, attacks per stretch of days from a user's file, have an observation model of their own: `DatedCounts`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from sim.experiment.dataset import ACKNOWLEDGED, outcome_values, outcomes_of, theatre_counts
from sim.experiment.options import CalibrationSizes, declared
from sim.experiment.parameter_sets import free_declarations
from sim.experiment.statistics import Array
from sim.model.parameters import MECHANISM_NAMES, shared_declarations
from sim.model.scenario import Config, Scenario
from sim.model.validation import Section, UserError

if TYPE_CHECKING:
    from sim.engine.record import Output

# --- observation models -------------------------------------------------------------------------------------


class ObservationModel(ABC):
    """One way to read a figure; `drawn` says that chance takes part: one number may be reported in several ways.

    `template` is the model in words, with its numbers as fields of `model`.
    """

    drawn: ClassVar[bool] = False
    template: ClassVar[str]

    @property
    def observed(self) -> float:
        """What was reported; 1 where the report is that the number lies in some range."""
        return 1.0

    @property
    def words(self) -> str:
        """The observation model in words."""
        return self.template.format(model=self)

    @abstractmethod
    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """What is reported (N,) where the number is `number` (N,); `chance` (N,) of a killing."""

    def pmf(self, number: Array, chance: Array, observed: float) -> Array:
        """Probability (N,) of the report `observed`; where chance takes no part 1 or 0.

        >>> Exact(2.0).pmf(np.array([1.0, 2.0]), np.zeros(2), 2.0)
        array([0., 1.])
        """
        return (self.report(number, chance, np.random.default_rng(0)) == observed).astype(np.float64)


@dataclass(frozen=True)
class Exact(ObservationModel):
    """The number itself."""

    value: float
    template: ClassVar[str] = "{model.value:g}"

    @property
    def observed(self) -> float:
        """The number that was reported."""
        return self.value

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """The number."""
        return np.asarray(number)


@dataclass(frozen=True)
class Rounded(Exact):
    """The number rounded down to a multiple of `step`."""

    step: float
    template: ClassVar[str] = "at least {model.value:g}, read as {model.value:g} to below {model.top:g}"

    @property
    def top(self) -> float:
        """Where the next report begins."""
        return self.value + self.step

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """Multiples of the step.

        >>> Rounded(170.0, 10.0).report(np.array([169.0, 170.0, 179.0]), np.zeros(3), np.random.default_rng(0))
        array([160., 170., 170.])
        """
        return np.asarray(np.floor(number / self.step) * self.step)


@dataclass(frozen=True)
class Relative(Rounded):
    """The number misjudged by a log-normal factor of deviation `error`, then rounded down to a multiple of `step`."""

    error: float
    drawn: ClassVar[bool] = True
    template: ClassVar[str] = "{model.value:g} to below {model.top:g}, misjudged by {model.error:.0%} or so"

    def pmf(self, number: Array, chance: Array, observed: float) -> Array:
        """Phi((log(observed + step) - log N) / error) - Phi((log observed - log N) / error); of 0 the report is 0.

        >>> Relative(170.0, 10.0, 0.05).pmf(np.array([0.0, 174.0]), np.zeros(2), 170.0).round(3)
        array([0.  , 0.43])
        """
        from scipy import special

        safe = np.log(np.maximum(number, 1e-12))
        high = special.ndtr((np.log(observed + self.step) - safe) / self.error)
        low = special.ndtr((np.log(observed) - safe) / self.error) if observed > 0.0 else 0.0
        return np.where(number > 0, high - low, float(observed == 0.0))

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """Multiples of the step."""
        misjudged = number * np.exp(self.error * generator.standard_normal(len(number)))
        return super().report(misjudged, chance, generator)


@dataclass(frozen=True)
class AtLeast(ObservationModel):
    """1 where the number is not smaller than what was reported: no more is known."""

    value: float
    template: ClassVar[str] = "at least {model.value:g}, and nothing more"

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """1 for yes, 0 for no."""
        return np.asarray(number >= self.value, dtype=np.float64)


@dataclass(frozen=True)
class Within(ObservationModel):
    """1 where the number lies from `low` to `high`: no more is known."""

    low: float
    high: float
    template: ClassVar[str] = "{model.low:g} to {model.high:g}"

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """1 for yes, 0 for no."""
        return np.asarray((number >= self.low) & (number <= self.high), dtype=np.float64)


@dataclass(frozen=True)
class Binomial(Exact):
    """How many of `number` attacks killed, each with the probability `chance`."""

    drawn: ClassVar[bool] = True

    def pmf(self, number: Array, chance: Array, observed: float) -> Array:
        """C(n, k) q^k (1 - q)^(n - k).

        >>> Binomial(1.0).pmf(np.array([2.0, 0.0]), np.array([0.5, 0.5]), 1.0).round(12)
        array([0.5, 0. ])
        """
        from scipy import special

        number = np.asarray(number, dtype=np.float64)
        rest = np.maximum(number - observed, 0.0)
        ways = special.gammaln(number + 1.0) - special.gammaln(observed + 1.0) - special.gammaln(rest + 1.0)
        size = ways + special.xlogy(observed, chance) + special.xlog1py(rest, -np.asarray(chance, dtype=np.float64))
        return np.where(number >= observed, np.exp(size), 0.0)

    def report(self, number: Array, chance: Array, generator: np.random.Generator) -> Array:
        """A draw."""
        return generator.binomial(np.asarray(number, dtype=np.int64), chance).astype(np.float64)


READINGS: Final[dict[str, Any]] = {
    "exact": Exact, "rounded": Rounded, "at_least": AtLeast, "relative": Relative, "within": Within,
    "binomial": Binomial,
}  # fmt: skip
"""Observation models by the name that the configuration uses."""


# --- observations -------------------------------------------------------------------------------------------

_LARGEST: Final = 1e9
_SPANS: Final = {"step": (1e-9, _LARGEST), "error": (1e-6, 2.0)}
"""Ranges of an observation model's numbers; all others lie between 0 and the largest."""
MODEL_KEYS: Final = ("likelihood", "value", "step", "error", "low", "high")
"""Keys that say which observation model reads an observation."""
_OBSERVATION_KEYS: Final = (
    "text", "source", "pattern", "of", "theatres", "window", "wings", "others", "enabled", *MODEL_KEYS,
)  # fmt: skip


@dataclass(frozen=True)
class Observation:
    """One figure: what it counts (`of`, with its places), how it is read, where it comes from.

    `pattern` names the pattern that fitting to it makes a fitted one; empty for none.
    """

    id: str
    text: str
    source: str
    pattern: str
    of: str
    reading: ObservationModel
    theatres: tuple[str, ...] = ()
    window: str = ""
    wings: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    used: bool = True


@dataclass(frozen=True)
class Seen:
    """What engines wrote of some histories (runs,), in the forms that figures are found in."""

    scenario: Scenario
    output: "Output"
    by_theatre: Array
    outcomes: Mapping[str, Array]


def seen(scenario: Scenario, output: "Output") -> Seen:
    """Prepare histories of a scenario for their figures to be found."""
    by_theatre = theatre_counts(scenario, output)
    return Seen(scenario, output, by_theatre, outcome_values(scenario, output, by_theatre))


def figures_of(section: Section, scenario: Scenario) -> tuple[Observation, ...]:
    """The figures of a configuration's `calibration` section, those not in use included."""
    if not section.has("observations"):
        return ()
    sections = section.sections("observations", _OBSERVATION_KEYS)
    return tuple(_figure(key, one, scenario) for key, one in sections.items())


def model_of(section: Section) -> ObservationModel:
    """The observation model that a section names under `likelihood`, with its numbers."""
    model = READINGS[section.choice("likelihood", tuple(READINGS))]
    made = model(*(section.number(one.name, *_SPANS.get(one.name, (0.0, _LARGEST))) for one in fields(model)))
    assert isinstance(made, ObservationModel)
    return made


def _figure(key: str, section: Section, scenario: Scenario) -> Observation:
    from sim.rules.outcomes import WINDOWS

    cast, of = scenario.cast, section.choice("of", tuple(dict.fromkeys((*FOUND, *outcomes_of(scenario)))))
    return Observation(
        id=key,
        text=section.text("text"),
        source=section.text("source"),
        pattern=section.text("pattern") if section.has("pattern") else "",
        of=of,
        reading=model_of(section),
        theatres=section.choices("theatres", cast.theatres) if of == "acknowledged" else (),
        window=section.choice("window", WINDOWS) if of == "acknowledged" else "",
        wings=section.choices("wings", cast.wings) if of == "later" else (),
        others=section.choices("others", cast.wings) if of == "later" else (),
        used=section.flag("enabled"),
    )


def _acknowledged(figure: Observation, seen: Seen) -> Array:
    from sim.rules.outcomes import WINDOWS

    cast = seen.scenario.cast
    places = [cast.theatre_index(key) for key in figure.theatres]
    return np.asarray(seen.by_theatre[places, WINDOWS.index(figure.window), ACKNOWLEDGED].sum(axis=0))


def _later(figure: Observation, seen: Seen) -> Array:
    """1 where each of `wings` complied later than each of `others`, who did comply; never is later than all."""
    from sim.rules.outcomes import NEVER

    cast = seen.scenario.cast

    def lags(keys: tuple[str, ...]) -> Array:
        lag = seen.output.lags[:, [cast.wing_index(key) for key in keys]].astype(np.float64)
        return np.where(lag == NEVER, np.inf, lag)

    return (lags(figure.wings).min(axis=1) > lags(figure.others).max(axis=1)).astype(np.int64)


FOUND: Final[Mapping[str, Callable[[Observation, Seen], Array]]] = {
    "acknowledged": _acknowledged,
    "later": _later,
    "lethal": lambda _, seen: seen.outcomes["attacks_campaign"],
    "peace": lambda _, seen: seen.outcomes["war"] == 0,
}
"""How the number behind a figure is found in histories; every outcome is found under its name too.

For `lethal` it is the number of attacks, each of which may have killed: deaths are pinned by documented history, so
what chance would have made of them is weighed, not drawn."""


def found(figure: Observation, seen: Seen) -> Array:
    """The number behind a figure in each history (runs,), before it is read."""
    number = FOUND[figure.of](figure, seen) if figure.of in FOUND else seen.outcomes[figure.of]
    return np.asarray(number, dtype=np.float32)


# --- dated counts -------------------------------------------------------------------------------------------

BACKGROUND: Final = 0.02
"""Attacks a day that are counted though no run has them: without any, one attack would exclude every calm run."""


@dataclass(frozen=True)
class DatedCounts:
    """Attacks of a file per stretch of days (S of them), and the observation model that reads them.

    y_s ~ negative binomial with mean mu_s and variance mu_s + dispersion mu_s^2, independent given the run, where
    mu_s = m_s + `BACKGROUND` (days of the stretch), and m_s are the run's acknowledged attacks that are reported in the
    stretch: each attack 0 to `lag` days after it happened, every lag equally probable.

    `edges` (S + 1,) are day numbers: a stretch lies after the end of one and up to the end of the next. `observed` (S,)
    are the attacks of the file in `theatres`, all together.
    """

    theatres: tuple[str, ...]
    edges: Array
    observed: Array
    lag: int
    dispersion: float

    @property
    def words(self) -> str:
        """The observation model in words."""
        return (
            f"negative binomial about the run's count, dispersion {self.dispersion:g}, each attack reported 0 to"
            f" {self.lag} days late"
        )

    def reported(self, daily: Array) -> Array:
        """Attacks m (N, S) expected to be reported in each stretch, of attacks (N, days) of each day from day 0.

        >>> one = DatedCounts((), np.array([-1, 1, 3]), np.zeros(2), 2, 0.1)
        >>> one.reported(np.array([[3, 0, 3, 0]])).tolist()
        [[2.0, 3.0]]
        """
        so_far = np.concatenate([np.zeros((len(daily), 1)), np.cumsum(daily, axis=1, dtype=np.float64)], axis=1)
        by_lag = [so_far[:, np.maximum(self.edges + 1 - lag, 0)] for lag in range(self.lag + 1)]
        return np.diff(np.mean(by_lag, axis=0), axis=1)

    def log_likelihood(self, reported: Array, observed: Array | None = None) -> Array:
        """Log probability (N,) of the counts `observed` (S,), by default the file's, given m (N, S) of each run."""
        from scipy import special

        counts = self.observed if observed is None else observed
        size, means = 1.0 / self.dispersion, self._means(reported)
        ways = special.gammaln(counts + size) - special.gammaln(size) - special.gammaln(counts + 1.0)
        return np.asarray(
            ways.sum()
            + (counts * np.log(means) - (counts + size) * np.log(size + means)).sum(axis=1)
            + counts.size * size * np.log(size)
        )

    def simulate(self, reported: Array, generator: np.random.Generator) -> Array:
        """Counts (..., S) of a file, drawn given m (..., S)."""
        size = 1.0 / self.dispersion
        return generator.negative_binomial(size, size / (size + self._means(reported)))

    def _means(self, reported: Array) -> Array:
        return np.asarray(reported + BACKGROUND * np.diff(self.edges))


# --- settings -----------------------------------------------------------------------------------------------

SIZES: Final = tuple(declared(CalibrationSizes))
_CALIBRATION_KEYS: Final = (*SIZES, "observations", "channels", "forms", "wide_priors")
_CHANNEL_KEYS: Final = ("text", "mechanisms", "parameters")


@dataclass(frozen=True)
class Channel:
    """One way in which the calm may have come about: what is switched off, and which numbers are set, without it."""

    id: str
    text: str
    mechanisms: tuple[str, ...]
    parameters: dict[str, float]


@dataclass(frozen=True)
class Form:
    """One form of the model under which the readings are weighed: mechanisms that it switches on or off."""

    id: str
    text: str
    mechanisms: dict[str, bool]


@dataclass(frozen=True)
class CalibrationSettings:
    """Figures in use, parameters to fit, channels and forms of the rival readings, and sizes (see `CalibrationSizes`).

    `wide_priors` are parameters whose priors are taken wider to see what depends on them.
    """

    figures: tuple[Observation, ...]
    keys: tuple[str, ...]
    channels: tuple[Channel, ...]
    forms: tuple[Form, ...]
    wide_priors: tuple[str, ...]
    draws: int
    kept: int
    sbc_datasets: int
    hypothesis_draws: int
    rejection_draws: int
    predictive_runs: int


def settings_of(config: Config, overrides: Sequence[str] = ()) -> CalibrationSettings:
    """The settings of a configuration; parameters that the overrides set are not fitted but held.

    Raises:
        UserError: a value is not allowed, no figure is in use, or the documented history is not pinned.
    """
    section = section_of(config)
    figures = tuple(one for one in figures_of(section, config.scenario) if one.used)
    if not figures:
        raise UserError("calibration.observations", "(none)", "one observation or more to fit to")
    check_history(config.scenario)
    held = {one.partition("=")[0].lstrip("+") for one in overrides}
    keys = tuple(key for key in free_declarations() if key not in held)
    if not keys:
        raise UserError("calibration", "(every parameter is set)", "one parameter or more to fit")
    channels = section.sections("channels", _CHANNEL_KEYS) if section.has("channels") else {}
    forms = section.sections("forms", ("text", "mechanisms")) if section.has("forms") else {}
    return CalibrationSettings(
        figures=figures,
        keys=keys,
        channels=tuple(_channel(key, one) for key, one in channels.items()),
        forms=tuple(_form(key, one) for key, one in forms.items()),
        wide_priors=section.choices("wide_priors", tuple(free_declarations())) if section.has("wide_priors") else (),
        **sizes_of(config).values(),
    )


def sizes_of(config: Config) -> CalibrationSizes:
    """How much a calibration simulates and keeps."""
    return CalibrationSizes.of({name: value for name, value in config.tree["calibration"].items() if name in SIZES})


def section_of(config: Config) -> Section:
    """The `calibration` section of a configuration."""
    return Section("calibration", config.tree["calibration"], _CALIBRATION_KEYS)


def check_history(scenario: Scenario) -> None:
    """Refuse a history in which deaths are not pinned up to the report: their chance is counted in closed form."""
    free = scenario.free_from
    if not scenario.pins or (free is not None and free <= scenario.calendar.report):
        raise UserError("history", "(free before the report)", "history=article, pinned up to the report")


def _channel(key: str, section: Section) -> Channel:
    declared = shared_declarations()
    given: dict[str, Any] = dict(section.raw("parameters", "")) if section.has("parameters") else {}
    numbers = Section(section.full("parameters"), given, tuple(declared))
    return Channel(
        id=key,
        text=section.text("text"),
        mechanisms=section.choices("mechanisms", MECHANISM_NAMES) if section.has("mechanisms") else (),
        parameters={name: numbers.number(name, declared[name].low, declared[name].high) for name in given},
    )


def _form(key: str, section: Section) -> Form:
    given = Section(section.full("mechanisms"), section.raw("mechanisms", "switches by name"), MECHANISM_NAMES)
    return Form(key, section.text("text"), {name: given.flag(name) for name in MECHANISM_NAMES if given.has(name)})
