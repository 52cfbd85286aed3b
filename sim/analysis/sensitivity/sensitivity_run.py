"""A sensitivity analysis: its settings, the parameters that vary and their points, its sweep, rankings and rows.

An analysis is a sweep with points of its own: designs for Sobol indices and for Morris that are made piece by piece,
their rows in SALib's order. A sweep that is there already can be ranked as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sim.analysis.sensitivity.indices import MEASURES, Given, Method, Morris, Ranking, Sobol, ranked
from sim.analysis.sensitivity.targets import Target, target_of
from sim.experiment.cluster import cluster_of
from sim.experiment.command import Request
from sim.experiment.dataset import outcomes_of, outcomes_with
from sim.experiment.options import SIZES, SensitivityOptions, StudyOptions
from sim.experiment.statistics import Column, finite
from sim.experiment.sweep.axes import Axes, Axis, DrawnAxis, Interval, declaration, read_axes
from sim.experiment.sweep.configs import Compose, compose_groups, composer, short_hash
from sim.experiment.sweep.design import Sampled, runs_of, sobol_points
from sim.experiment.sweep.design import settings_of as study_settings_of
from sim.experiment.sweep.profiles import keys_of
from sim.experiment.sweep.store import Store, open_store, open_sweep, read_store
from sim.model.declared_outcomes import Outcome
from sim.model.extension import ActiveExtensions, Extension, requested_extensions
from sim.model.hydra_config import override_of
from sim.model.parameters import Declaration
from sim.model.scenario import Config, asking, parameter_rows
from sim.model.validation import UserError, one_of

if TYPE_CHECKING:
    from sim.experiment.sweep.run_sweep import Sweep

VERB: Final = "sensitivity"
DUMMY: Final = "(dummy)"
GIVEN: Final = ("pawn", "delta")
"""Methods that need no design of their own: any points will do."""

# --- settings -----------------------------------------------------------------------------------------------

DEFAULT_SAMPLES: Final = {"sobol": 512, "morris": 64, "pawn": 4096, "delta": 4096}
LEAST_SAMPLES: Final = {"sobol": 32, "morris": 8, "pawn": 128, "delta": 128}
MOST_SAMPLES: Final = 2**20
DEFAULT_RUNS: Final = SIZES[VERB].runs
LEAST_RUNS: Final = 8


@dataclass(frozen=True)
class SensitivitySettings:
    """The method, the statistics and the number of samples; `parameters` are patterns of keys or None.

    `stored` are the outcomes that are simulated; none: all.
    """

    method: str
    samples: int
    targets: tuple[Target, ...]
    parameters: tuple[str, ...] | None
    sweep: Path | None
    stored: tuple[str, ...] = ()


def settings_of(request: Request) -> tuple[SensitivitySettings, Request]:
    """The settings in a request, and the request without them.

    Raises:
        UserError: an unknown key, or a value that is not allowed.
    """
    options, rest = request.options(SensitivityOptions)
    method = options.method or (GIVEN if options.sweep is not None else tuple(LEAST_SAMPLES))[0]
    if options.sweep is not None and method not in GIVEN:
        raise UserError("sensitivity.method", method, f"{' or '.join(GIVEN)} of a sweep that is there already")
    samples = _samples(options.samples, method)
    store = None if options.sweep is None else read_store(options.sweep)
    overrides = rest.overrides if store is None else store.manifest["overrides"]
    known = outcomes_with(ActiveExtensions(requested_extensions(overrides, ())))
    texts: tuple[str, ...] = options.outcomes
    stored: tuple[str, ...] = ()
    if store is None and any(one.partition(":")[0] not in known for one in texts):
        texts, known, stored = with_conditions(texts, known, rest)
    targets = tuple(target_of(name, known) for name in texts)
    if len(set(targets)) < len(targets):
        raise UserError("sensitivity.outcomes", ",".join(options.outcomes), "each once")
    parameters = ("*",) if options.parameters == ("all",) else options.parameters
    return SensitivitySettings(method, samples, targets, parameters, options.sweep, stored), rest


def with_conditions(
    texts: Sequence[str], known: Mapping[str, Outcome], rest: Request
) -> tuple[tuple[str, ...], dict[str, Outcome], tuple[str, ...]]:
    """Conditions among the outcomes asked: all texts in one spelling, all outcomes by name, those to be simulated."""
    axes = read_axes(rest.overrides, rest.config_dir, requested_extensions(rest.overrides, ()))
    check(axes)
    conditions = [one for one in texts if one.partition(":")[0] not in known]
    scenario = composer(rest.config_dir)(axes.fixed).scenario
    scenario, names = asking(scenario, conditions, "sensitivity.outcomes")
    named = dict(zip(conditions, names, strict=True))
    stored = dict.fromkeys(named.get(one, one.partition(":")[0]) for one in texts)
    return tuple(named.get(one, one) for one in texts), outcomes_of(scenario), tuple(stored)


def _samples(given: int | None, method: str) -> int:
    least = LEAST_SAMPLES[method]
    if given is None:
        return DEFAULT_SAMPLES[method]
    if not least <= given <= MOST_SAMPLES:
        raise UserError("sensitivity.samples", given, f"a whole number from {least} to {MOST_SAMPLES} for {method}")
    if method == "sobol" and given & (given - 1):
        raise UserError("sensitivity.samples", given, f"a power of two, such as {1 << (given - 1).bit_length()}")
    return given


# --- what varies --------------------------------------------------------------------------------------------

AROUND: Final = (0.5, 1.5)
"""A number without a prior varies between these multiples of its value, as far as its declared range goes."""


@dataclass(frozen=True)
class Space:
    """Parameters that vary, in order, and those that stay, each with the reason."""

    axes: tuple[Axis, ...]
    held: dict[str, str]


def space_of(axes: Axes, settings: SensitivitySettings, config: Config) -> Space:
    """The space that the command line asks for.

    Swept parameters vary as they are swept. With nothing swept, or with `sensitivity.parameters`, the others follow
    their priors; those without one vary around their value. What the user or the scenario has set stays.
    """
    patterns = settings.parameters or (() if axes.numbers else ("*",))
    keys = [row.key for row in parameter_rows(config.scenario)]
    for pattern in patterns:
        if not any(fnmatchcase(key, pattern) for key in keys):
            raise UserError("sensitivity.parameters", pattern, f"all, or patterns of keys: {one_of(keys, pattern)}")
    swept = {axis.key: axis for axis in axes.numbers}
    fixed = axes.fixed_keys
    found: list[Axis] = []
    held: dict[str, str] = {}
    for key in keys:
        if key in swept:
            found.append(swept[key])
        elif any(fnmatchcase(key, pattern) for pattern in patterns):
            axis = "set by you" if key in fixed else _axis_or_reason(key, config)
            if isinstance(axis, str):
                held[key] = axis
            else:
                found.append(axis)
    # A swept key that this case does not have is refused, with the names that it has, where it is composed.
    found += [axis for key, axis in swept.items() if key not in keys]
    if not found:
        given = "null" if settings.parameters is None else ",".join(settings.parameters)
        raise UserError("sensitivity.parameters", given, "parameters that are not held fixed")
    return Space(tuple(found), held)


def _axis_or_reason(key: str, config: Config) -> Axis | str:
    """How a parameter varies, or why it stays as it is."""
    one, value = _declared(key, config.scenario.extended.extensions), config.scenario.number(key)
    drawn = one.prior.shape != "fixed"
    if one.default is not None:
        if value != one.default:
            return "set by the scenario"
        if drawn:
            return DrawnAxis(key, one)
        if one.provenance != "assumed":
            return f"{config.scenario.cast.shared_source(one).provenance}, with a fixed prior"
    low, high = sorted(factor * value for factor in AROUND)
    low, high = max(one.low, low), min(one.high, high)
    if low >= high:
        return "zero"
    return DrawnAxis(key, one) if drawn else Interval(key, f"interval({low!r},{high!r})", low, high)


def _declared(key: str, added: tuple[Extension, ...]) -> Declaration:
    one = declaration(key, added)
    assert one is not None
    return one


# --- points -------------------------------------------------------------------------------------------------

LEVELS: Final = 4
"""Levels of a Morris grid. A step of a trajectory goes over half of the range."""
DEPENDENT: Final = ("saltelli", "morris")
"""Designs whose points repeat each other in all parameters but one: resampled one by one they would seem many more."""
MOST_POINTS: Final = 10**8


@dataclass(frozen=True)
class Crossed(Sampled):
    """Blocks of D + 2 points: A, then A with each of its parameters in turn taken from B, then B.

    A and B are halves of a scrambled Sobol sequence in twice as many dimensions (Saltelli and others 2010).
    """

    def unit(self, start: int, stop: int) -> Column:
        """Points start to stop in the unit cube (points, axes)."""
        size = len(self.axes)
        first, last = start // (size + 2), -(-stop // (size + 2))
        base = sobol_points(2 * size, first, last, self.seed)
        block, place = np.divmod(np.arange(start, stop), size + 2)
        other = base[block - first, size:]
        # Place 0 takes nothing from B, places 1 to D their own parameter, the last place all.
        from_b = (place[:, None] == np.arange(1, size + 1)) | (place[:, None] == size + 1)
        return np.where(from_b, other, base[block - first, :size])


@dataclass(frozen=True)
class Trajectories(Sampled):
    """Blocks of D + 1 points: a random start, then one parameter after the other moved by half of its range.

    Each trajectory has a seed of its own, so more of them keep the old ones.
    """

    def unit(self, start: int, stop: int) -> Column:
        """Points start to stop in the unit cube (points, axes)."""
        size = len(self.axes) + 1
        first, last = start // size, -(-stop // size)
        made = np.concatenate([self._trajectory(number) for number in range(first, last)])
        return made[start - first * size : stop - first * size]

    def _trajectory(self, number: int) -> Column:
        """One trajectory (D + 1, D); levels lie in the middle of equal shares of the unit interval."""
        from SALib.sample.morris import sample

        size = len(self.axes)
        problem = {"num_vars": size, "names": [axis.key for axis in self.axes], "bounds": [[0.0, 1.0]] * size}
        grid = sample(problem, 1, num_levels=LEVELS, seed=np.random.default_rng([self.seed, number]))
        return np.asarray((np.rint(grid * (LEVELS - 1)) + 0.5) / LEVELS)


def design_of(settings: SensitivitySettings, axes: tuple[Axis, ...], seed: int) -> Sampled:
    """The points that a method wants."""
    kind, name, more = {"sobol": (Crossed, "saltelli", 2), "morris": (Trajectories, "morris", 1)}.get(
        settings.method, (Sampled, "sobol", 0)
    )
    block = len(axes) + more if more else 1
    if settings.samples * block > MOST_POINTS:
        raise UserError("sensitivity.samples", settings.samples, f"at most {MOST_POINTS // block}")
    return kind(name, axes, settings.samples * block, seed)


# --- the analysis as a sweep --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Analysis:
    """An analysis as it was asked for: its settings, what varies, and the sweep that simulates its points."""

    settings: SensitivitySettings
    space: Space
    sweep: "Sweep"


def prepare(request: Request) -> Analysis:
    """Read and check an analysis; nothing is computed or written.

    Raises:
        UserError: something in it cannot be used; one line.
    """
    from sim.experiment.sweep.run_sweep import Sweep

    request.check_kept()
    settings, rest = settings_of(request)
    compose = composer(request.config_dir)
    axes, study, space, seed = composed(settings, rest, compose)
    design = design_of(settings, space.axes, seed)
    sweep = Sweep(request, axes, study, design, compose_groups(axes, study.policies, design, compose))
    sweep = replace(sweep, request=replace(request, home=folder_of(sweep, settings)))
    store = read_store(sweep.folder)
    if store is not None and store.points > sweep.work.points:
        before = store.points // (sweep.work.points // settings.samples)
        raise UserError("sensitivity.samples", settings.samples, f"{before} or more, as in {store.folder}")
    return Analysis(settings, space, sweep)


def composed(settings: SensitivitySettings, rest: Request, compose: Compose) -> tuple[Axes, StudyOptions, Space, int]:
    """What a request without its settings asks for, checked: axes, keys `study.*`, the space that varies, the seed."""
    axes = read_axes(rest.overrides, rest.config_dir, requested_extensions(rest.overrides, ()))
    check(axes)
    if not any(one.partition("=")[0] == "study.runs" for one in axes.fixed):
        axes = replace(axes, fixed=(f"study.runs={DEFAULT_RUNS}", *axes.fixed))
    if settings.stored:
        axes = replace(axes, fixed=(*axes.fixed, override_of("study.outcomes", list(settings.stored))))
    config = compose(axes.fixed)
    if config.runs < LEAST_RUNS:
        raise UserError(
            "study.runs", config.runs, f"{LEAST_RUNS} or more: noise is estimated from quarters of the runs"
        )
    cluster_of(config)
    return axes, study_settings_of(config), space_of(axes, settings, config), config.seed


def check(axes: Axes) -> None:
    """Refuse what only a sweep takes: a key with several values that is no number."""
    if axes.choices:
        one = axes.choices[0]
        raise UserError(one.key, ",".join(one.labels), "one value; an analysis has one configuration, and numbers vary")


def folder_of(sweep: "Sweep", settings: SensitivitySettings) -> Path:
    """Where it is kept: as asked, else a name that the same analysis always has, however many samples and runs."""
    asked = sweep.request.home or sweep.config.output_dir
    if asked is not None:
        return asked
    scenario = sweep.config.scenario.name.replace("/", "-")
    name = f"sensitivity-{settings.method}-{scenario}-seed{sweep.config.seed}-{short_hash(sweep.identity)}"
    return Path.cwd() / "outputs" / name


def store_at(folder: Path) -> Store:
    """The sweep in a folder; refuses a folder without one."""
    store = read_store(folder)
    if store is None:
        raise UserError("sensitivity.sweep", folder, "the folder of a sweep, with its manifest.json")
    return store


def check_alone(rest: Request) -> None:
    """Refuse what would change the histories of a sweep that is there already."""
    for text in rest.overrides:
        key, _, value = text.partition("=")
        if key != "output.dir":
            raise UserError(key, value, "sensitivity.method and sensitivity.outcomes; the sweep is there already")


# --- rankings -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VariedFactor:
    """A parameter that varied, and between what."""

    declared: Declaration
    low: float
    high: float


@dataclass(frozen=True)
class Question:
    """What a store is asked: statistics, by a method, of what varied."""

    settings: SensitivitySettings
    method: Method
    varied: dict[str, VariedFactor]
    seed: int


def question_of(analysis: Analysis) -> Question:
    """The question that an analysis was made for."""
    design, settings = analysis.sweep.design, analysis.settings
    assert isinstance(design, Sampled)
    method: Method
    if settings.method == "sobol":
        method = Sobol(settings.samples, len(design.keys))
    elif settings.method == "morris":
        method = Morris(settings.samples, design.unit(0, design.samples))
    else:
        method = Given(design.unit(0, design.samples), design.seed, settings.method == "pawn")
    edges = np.array([0.0, np.nextafter(1.0, 0.0)])
    values = {axis.key: axis.at(edges) for axis in design.axes}
    return Question(settings, method, _varied(values, analysis.sweep.config.scenario.extended.extensions), design.seed)


def _varied(values: Mapping[str, Column], added: tuple[Extension, ...]) -> dict[str, VariedFactor]:
    return {key: VariedFactor(_declared(key, added), float(one.min()), float(one.max())) for key, one in values.items()}


def question_to(store: Store, settings: SensitivitySettings) -> Question:
    """A question to a sweep that was made for something else; refuses one that cannot answer."""

    def refused(allowed: str) -> UserError:
        return UserError("sensitivity.sweep", store.folder, allowed)

    kind, least = store.manifest["design"], LEAST_SAMPLES[settings.method]
    if kind in DEPENDENT:
        raise refused(f"a sweep of points made independently; those of a {kind} are not")
    data, added = open_sweep(store.folder), requested_extensions(store.manifest["overrides"], ())
    columns: dict[str, Any] = {}
    for name in keys_of(data):
        values = data[name].values
        if len(set(values.tolist())) < 2:
            continue
        if declaration(name, added) is None:
            raise refused(f"a sweep of one configuration; {name} differs in this one")
        columns[name] = values.astype(np.float64)
    if not columns or store.points < least:
        raise refused(f"a sweep of parameters with {least} points or more")
    if runs_of(store.parts, store.points).min() < 2:
        raise refused("a sweep with 2 runs or more of each point, to tell chance apart")
    seed = int(store.manifest["seed"])
    points = np.stack(list(columns.values()), axis=1)
    return Question(settings, Given(points, seed, settings.method == "pawn"), _varied(columns, added), seed)


def rankings(store: Store, asked: Question) -> tuple[Ranking, ...]:
    """Answer a question from a finished store, statistic by statistic."""
    data = open_store(store)
    runs = slice(0, int(runs_of(store.parts, store.points).min()))
    name, keys = asked.settings.method, tuple(asked.varied)
    return tuple(
        ranked(one, data[one.outcome.name].isel(run=runs).values, asked.method, name, keys, asked.seed)
        for one in asked.settings.targets
    )


# --- rows and summary ---------------------------------------------------------------------------------------


def ranking_rows(one: Ranking, varied: Mapping[str, VariedFactor]) -> list[dict[str, Any]]:
    """One row per parameter, greatest first, the dummy last."""
    edges = [np.append(values, dummy[:, None], axis=1) for values, dummy in zip(one.measures, one.dummy, strict=True)]
    rows = []
    for place, key in enumerate((*one.keys, DUMMY)):
        about = varied.get(key)
        row: dict[str, Any] = {
            "outcome": one.target.outcome.name,
            "statistic": one.target.statistic,
            "method": one.method,
            "rank": place + 1 if about else None,
            "parameter": key,
            "meaning": about.declared.text if about else "has no effect",
            "unit": about.declared.unit if about else "",
            "from": about.low if about else None,
            "to": about.high if about else None,
        }
        for number, name in enumerate(MEASURES[one.method]):
            for suffix, values in zip(("", "_low", "_high"), edges, strict=True):
                row[name + suffix] = finite(values[number, place])
        if one.by_chance is not None:
            row["mu_star_by_chance"] = finite(one.by_chance[place]) if about else None
        row["above_dummy"] = bool(one.resolved and one.distinguished[place]) if about else None
        rows.append(row | chance_record(one))
    return rows


def summary(store: Store, found: Sequence[Ranking]) -> dict[str, Any]:
    """The content of `sensitivity.json`: the rankings in short."""
    return {
        "scenario": store.manifest["scenario"],
        "seed": store.manifest["seed"],
        "points": store.points,
        "runs": store.runs,
        "source_hash": store.manifest["source_hash"],
        "statistics": [_short(one) for one in found],
    }


def _short(one: Ranking) -> dict[str, Any]:
    above = [key for key, stands_out in zip(one.keys, one.distinguished, strict=True) if stands_out and one.resolved]
    return {
        "statistic": one.target.name,
        "unit": one.target.unit,
        "method": one.method,
        "points_differ": one.resolved,
        "above_dummy": above,
        "not_distinguished": len(one.keys) - len(above),
        **chance_record(one),
    }


def chance_record(one: Ranking) -> dict[str, float | None]:
    """What chance has to do with it."""
    edges = zip(("chance_share", "chance_share_low", "chance_share_high"), one.chance.share, strict=True)
    return {name: finite(value) for name, value in edges} | {"chance_left": finite(one.chance.left)}
