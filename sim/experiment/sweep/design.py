"""The design of a sweep: its settings, its points, and the parts and batches in which they are simulated.

A design gives any range of its points without making the others, so a million points need no memory and a worker makes
its own. Points are numbered; the same design with more points begins with the same ones, or says why it cannot.
"""

import math
import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from sim.experiment.dataset import outcomes_of
from sim.experiment.options import StudyOptions
from sim.experiment.parameter_sets import free_declarations, shipped_posterior
from sim.experiment.statistics import Array, Column
from sim.experiment.sweep.axes import (
    NOT_SWEPT,
    Axes,
    Axis,
    DrawnAxis,
    Levels,
    check_swept,
    checked,
    declaration,
    top_of,
)
from sim.model.declared_outcomes import Outcome
from sim.model.extension import Extension
from sim.model.hydra_config import STUDY_KEYS, TOP_KEYS, hydra_text, parse_override, read_yaml
from sim.model.scenario import POSTERIOR, Config
from sim.model.validation import Section, UserError, mapping, one_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MOST_POINTS: Final = 10**8
DRAWS: Final = ("prior", POSTERIOR)
SELDOM: Final = 1000
"""More groups than this in a table of points is taken for a mistake."""
BOOKKEEPING: Final = ("point", "sample", "policy")
"""Columns that every stored sweep has of its own; those of a table are carried along as table.point and so on."""

Policies = dict[str, dict[str, Any]]
Columns = dict[str, Column]


def settings_of(config: Config) -> StudyOptions:
    """The keys `study.*` of a sweep, checked.

    `policies` maps names to overrides, `precision` outcomes to the Monte Carlo error that they may have, both possibly
    empty; `ignore` is a tuple of columns, `outcomes` one of names, those of daily series too, or None.
    """
    study = StudyOptions.of(config.tree["study"])
    if study.draws is not None and study.draws not in DRAWS:
        raise UserError("study.draws", study.draws, one_of(DRAWS, study.draws))
    ignored = Section("study", config.tree["study"], STUDY_KEYS)
    known, outcomes = outcomes_of(config.scenario), config.scenario.named
    known = {name: known[name] for name in outcomes if name in known} if outcomes else known
    if not known:
        raise UserError("study.outcomes", study.outcomes, "one outcome or more; daily series come with these")
    return replace(
        study,
        outcomes=outcomes or None,
        ignore=() if study.ignore is None else ignored.texts("ignore"),
        policies={} if study.policies is None else _policies(study.policies),
        precision={} if study.precision is None else _precision(study.precision, known),
        shard=None if study.shard is None else _shard(study),
    )


def _policies(given: object) -> Policies:
    """Policies as a mapping, or read from the YAML file that is named."""
    if isinstance(given, str):
        if not Path(given).is_file():
            raise UserError("study.policies", given, "a YAML file, or a mapping of names to overrides")
        given = read_yaml(Path(given))
    named = mapping("study.policies", given)
    if not named:
        raise UserError("study.policies", "{}", "one policy or more")
    policies = {str(name): mapping(f"study.policies.{name}", one) for name, one in named.items()}
    for name, one in policies.items():
        for key, value in one.items():
            if (top := top_of(str(key))) in NOT_SWEPT:
                raise UserError(f"study.policies.{name}.{key}", value, f"keys of the world ({NOT_SWEPT[top]})")
    return policies


def _precision(given: object, known: Mapping[str, Outcome]) -> dict[str, float]:
    named = {str(name): value for name, value in mapping("study.precision", given).items()}
    for name in named:
        if name not in known:
            raise UserError(f"study.precision.{name}", named[name], f"outcomes: {one_of(tuple(known), name)}")
    section = Section("study.precision", named, tuple(known))
    return {name: section.number(name, 1e-9, 1e9) for name in named}


@dataclass(frozen=True)
class Sampled:
    """Points made by a rule: full factorial, scrambled Sobol sequence, Latin hypercube or independent draws."""

    kind: str
    axes: tuple[Axis, ...]
    samples: int
    seed: int
    variants: ClassVar[tuple[dict[str, Any], ...]] = ({},)
    carried: ClassVar[Mapping[str, "pa.Array"]] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """Parameters that vary, the first the slowest in a factorial."""
        return tuple(axis.key for axis in self.axes)

    @property
    def fixed_size(self) -> str | None:
        """Why it cannot have more points and keep the old ones; None where it can."""
        return {
            "lhs": "a Latin hypercube is made for one number of points; sobol and random go on",
            "factorial": "a full factorial has as many points as its levels have combinations",
        }.get(self.kind)

    def columns(self, start: int, stop: int) -> Columns:
        """Values of the parameters at points start to stop."""
        unit = self.unit(start, stop)
        return {axis.key: np.ascontiguousarray(axis.at(unit[:, place])) for place, axis in enumerate(self.axes)}

    def places(self, start: int, stop: int) -> Array:
        """Which of `variants` each point belongs to: there is one."""
        return np.zeros(stop - start, dtype=np.int64)

    def unit(self, start: int, stop: int) -> Column:
        """Points start to stop in the unit cube (points, axes)."""
        if self.kind == "factorial":
            return _factorial([len(axis.values) for axis in self.axes if isinstance(axis, Levels)], start, stop)
        size = len(self.axes)
        if self.kind == "random":
            source = np.random.PCG64(self.seed).advance(start * size)
            return np.random.Generator(source).random((stop - start, size))
        if self.kind == "lhs":
            return _hypercube(size, self.samples, self.seed)[start:stop]
        return sobol_points(size, start, stop, self.seed)


@dataclass(frozen=True, eq=False)
class Tabled:
    """Points read from a table: one column per parameter; other keys make variants of the configuration.

    `variants` are their overrides, `variant` (rows,) which of them each row asks for; `carried` are the columns that
    are no keys, which change nothing and are written as they are.
    """

    numbers: Columns
    variants: tuple[dict[str, Any], ...]
    variant: Array
    kind: str = "table"
    fixed_size: str | None = None
    carried: Mapping[str, "pa.Array"] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """Number of rows."""
        return len(self.variant)

    @property
    def keys(self) -> tuple[str, ...]:
        """Parameters that the table gives."""
        return tuple(self.numbers)

    def columns(self, start: int, stop: int) -> Columns:
        """Values of the parameters in rows start to stop."""
        return {key: column[start:stop] for key, column in self.numbers.items()}

    def places(self, start: int, stop: int) -> Array:
        """Which variant each row asks for."""
        return self.variant[start:stop]


Design = Sampled | Tabled
"""Points of a sweep, numbered from 0 to `samples`."""


def make_design(axes: Axes, settings: StudyOptions, config: Config, points: "pd.DataFrame | None" = None) -> Design:
    """The design that the axes and the settings ask for; the parameters of extensions may vary too.

    Args:
        axes: what varies, and what is fixed.
        settings: how the sweep is made.
        config: the first configuration: its seed, cast and extensions count.
        points: a table of points in place of that of the settings.
    """
    extended = config.scenario.extended
    if points is not None or settings.table is not None:
        return _table_design(axes, settings, points, extended.extensions)
    if settings.draws == POSTERIOR:
        return _fitted(axes, settings, config)
    if settings.ignore:
        ignored = hydra_text(list(settings.ignore))
        raise UserError("study.ignore", ignored, "null; without study.table there is no column")
    numbers: tuple[Axis, ...] = axes.numbers
    if settings.draws is not None:
        declared = free_declarations()
        declared |= {key: one for key, one in extended.declarations.items() if one.prior.shape != "fixed"}
        taken = {axis.key for axis in axes.numbers} | axes.fixed_keys
        numbers += tuple(DrawnAxis(key, one) for key, one in declared.items() if key not in taken)
    levels = all(isinstance(axis, Levels) for axis in numbers)
    kind = settings.design or ("random" if settings.draws else "factorial" if levels else "sobol")
    if kind == "factorial":
        return _full(numbers, settings, config.seed)
    if not numbers:
        raise UserError("study.design", kind, "null; no number varies, so there is nothing to sample")
    if settings.points is None:
        raise UserError("study.points", None, f"a whole number; a {kind} design has as many points as its values make")
    return Sampled(kind, numbers, settings.points, config.seed)


def _fitted(axes: Axes, settings: StudyOptions, config: Config) -> Tabled:
    """The first draws of the posterior that comes with the package; what the user sets has no column."""
    if axes.numbers:
        allowed = "one value; draws of the posterior belong together"
        raise UserError(axes.numbers[0].key, axes.numbers[0].text, allowed)
    if settings.ignore:
        raise UserError("study.ignore", ", ".join(settings.ignore), "null; without study.table there is no column")
    if settings.design is not None:
        raise UserError("study.design", settings.design, "null; the points are draws of the posterior")
    posterior = shipped_posterior(config.scenario.cast)
    points = posterior.draws if settings.points is None else settings.points
    if points > posterior.draws:
        raise UserError("study.points", points, f"1 to {posterior.draws}, as many as the posterior has draws")
    numbers = {key: column[:points] for key, column in posterior.columns.items() if key not in axes.fixed_keys}
    return Tabled(numbers, ({},), np.zeros(points, dtype=np.int64), POSTERIOR)


def _full(numbers: Sequence[Axis], settings: StudyOptions, seed: int) -> Sampled:
    endless = [axis for axis in numbers if not isinstance(axis, Levels)]
    if endless:
        raise UserError(endless[0].key, endless[0].text, "values such as range(0,1,0.1) in a factorial design")
    count = math.prod(len(axis.values) for axis in numbers if isinstance(axis, Levels))
    if settings.points is not None and settings.points != count:
        raise UserError("study.points", settings.points, f"null or {count}, the number of combinations")
    return Sampled("factorial", tuple(numbers), count, seed)


def _factorial(counts: Sequence[int], start: int, stop: int) -> Column:
    """The combinations as places in the unit cube, each in the middle of its level's share."""
    if not counts:
        return np.zeros((stop - start, 0))
    places = np.unravel_index(np.arange(start, stop), counts)
    return np.stack([(place + 0.5) / count for place, count in zip(places, counts, strict=True)], axis=1)


def sobol_points(size: int, start: int, stop: int, seed: int) -> Column:
    """Points start to stop (points, size) of a scrambled Sobol sequence."""
    from scipy.stats import qmc

    engine = qmc.Sobol(size, scramble=True, rng=np.random.default_rng(seed))
    if start:
        engine.fast_forward(start)
    with warnings.catch_warnings():
        # It warns where the number is no power of two; a range of points hardly ever is, the whole design may be.
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(engine.random(stop - start))


@lru_cache(maxsize=1)
def _hypercube(size: int, samples: int, seed: int) -> Column:
    from scipy.stats import qmc

    return np.asarray(qmc.LatinHypercube(size, rng=np.random.default_rng(seed)).random(samples))


def _table_design(
    axes: Axes, settings: StudyOptions, points: "pd.DataFrame | None", added: tuple[Extension, ...]
) -> Tabled:  # fmt: skip
    others = ("points", "design", "draws") if points is None else ("points", "design", "draws", "table")
    for name in others:
        if getattr(settings, name) is not None:
            raise UserError(f"study.{name}", getattr(settings, name), "null; the points come from a table")
    if axes.numbers:
        raise UserError(axes.numbers[0].key, axes.numbers[0].text, "a column of study.table, or no table")
    if points is None:
        assert settings.table is not None
        points = read_points(settings.table)
    elsewhere = {choice.key.lstrip("+") for choice in axes.choices} | axes.fixed_keys
    return tabled(points, elsewhere, added, settings.ignore)


def read_points(path: Path) -> "pd.DataFrame":
    """A table of points from a CSV or Parquet file."""
    if not path.is_file():
        raise UserError("study.table", path, "an existing CSV or Parquet file")
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, float_precision="round_trip", keep_default_na=True)
    except (OSError, ValueError) as problem:
        raise UserError("study.table", path, f"a readable CSV or Parquet file ({problem})") from None


def tabled(
    table: "pd.DataFrame",
    elsewhere: Collection[str] = (),
    added: tuple[Extension, ...] = (),
    ignore: Collection[str] = (),
) -> Tabled:
    """The design of a table of points.

    Args:
        table: one row per point.
        elsewhere: keys that the command line sets or sweeps already.
        added: extensions, whose parameters may be columns.
        ignore: columns that are no keys; they are carried along.
    """
    columns = [str(name) for name in table.columns]
    if len(set(columns)) < len(columns):
        raise UserError("study.table", ", ".join(columns), "each column once")
    table = table.set_axis(columns, axis=1)
    for name in ignore:
        if name not in columns:
            raise UserError("study.ignore", name, f"columns of the table: {one_of(columns, name)}")
        if _is_key(name, added):
            raise UserError(
                "study.ignore", name, "columns that are no keys; under this name it would seem to be in force"
            )
    names = [name for name in columns if name not in BOOKKEEPING and name not in ignore]
    if not names or not len(table):
        raise UserError("study.table", "(empty)", "one point or more, with columns named by keys")
    for name in names:
        _check_column(name, table[name], elsewhere, added)
    numbers = {name: _number_column(name, table[name], added) for name in names if declaration(name, added) is not None}
    others = [name for name in names if name not in numbers]
    variants, variant = _variants(table, others)
    carried = {
        f"table.{name}" if name in BOOKKEEPING else name: _as_it_is(name, table[name])
        for name in columns
        if name not in names
    }
    return Tabled(numbers, variants, variant, carried=carried)


def _is_key(name: str, added: tuple[Extension, ...]) -> bool:
    return top_of(name.lstrip("+~")) in TOP_KEYS or declaration(name, added) is not None


def _check_column(
    name: str, values: "pd.Series[Any]", elsewhere: Collection[str], added: tuple[Extension, ...]
) -> None:  # fmt: skip
    key = parse_override(f"{name}=0")
    check_swept(key, "(a column of study.table)")
    if not _is_key(name, added):
        raise UserError(name, "(a column of study.table)", "keys; study.ignore names columns to carry along unchanged")
    if key.key_or_group in elsewhere:
        raise UserError(name, "(twice)", "either a column of study.table or values on the command line")
    if values.isna().any():
        row = int(np.flatnonzero(values.isna())[0]) + 1
        raise UserError(name, f"(empty in row {row} of study.table)", "a value for every point")


def _as_it_is(name: str, values: "pd.Series[Any]") -> "pa.Array":
    """A column that is carried along; where it is empty it stays so."""
    import pyarrow as pa

    try:
        return pa.array(values, from_pandas=True)
    except pa.ArrowException:
        raise UserError("study.ignore", name, "columns of one kind of value each") from None


def _number_column(key: str, given: "pd.Series[Any]", added: tuple[Extension, ...]) -> Column:
    if given.dtype.kind not in "iuf":
        wrong = next((value for value in given if isinstance(value, bool | str)), given.iloc[0])
        checked(key, wrong, added)
    column = given.to_numpy(dtype=np.float64)
    for edge in (column.min(), column.max()):
        checked(key, float(edge), added)
    return np.ascontiguousarray(column)


def _variants(table: "pd.DataFrame", names: Sequence[str]) -> tuple[tuple[dict[str, Any], ...], Array]:
    """The distinct combinations of all columns that are no parameters, and which of them each row has."""
    if not names:
        return ({},), np.zeros(len(table), dtype=np.int64)
    grouped = table.groupby(list(names), sort=False)
    variant = grouped.ngroup().to_numpy(dtype=np.int64)
    rows = table[list(names)].drop_duplicates()
    if len(rows) > SELDOM:
        raise UserError(names[0], f"{len(rows)} combinations", f"at most {SELDOM} of keys that are no parameters")
    found = tuple(
        {name: value.item() if isinstance(value, np.generic) else value for name, value in zip(names, row, strict=True)}
        for row in rows.itertuples(index=False, name=None)
    )
    return found, variant


PARTS: Final = 48
"""Parts that a sweep is cut into, about; so 10^6 points make fewer than 100 files."""
LEAST_ROWS: Final = 2**14
"""Histories of a part where there are few: some seconds of work, lost at most when a process is killed."""
BATCH_ROWS: Final = 2**15
"""Histories computed at once: enough that a batch takes seconds, few enough that it takes some 50 MB."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Batch:
    """Histories simulated at once: runs `runs` (from, to) of points `points` (from, to), `to` excluded.

    `chosen` are the points that it holds, ascending, where it does not hold all of the span.
    """

    points: Span
    runs: Span
    chosen: tuple[int, ...] | None = None

    def numbers(self) -> Array:
        """Point numbers (P,)."""
        return np.arange(*self.points) if self.chosen is None else np.array(self.chosen, dtype=np.int64)

    @property
    def rows(self) -> int:
        """Number of histories."""
        return (width(self.points) if self.chosen is None else len(self.chosen)) * width(self.runs)


@dataclass(frozen=True)
class Part(Batch):
    """The same as one file of a store, with its number."""

    number: int = 0

    def batches(self) -> Iterator[Batch]:
        """The part cut into what is computed at once, in order of point and run."""
        return pieces(self.numbers(), self.runs, BATCH_ROWS)


@dataclass(frozen=True)
class Shard:
    """One of several shares of a sweep, numbered from 1: every part whose number leaves the same remainder."""

    number: int
    shares: int

    def holds(self, part: Part) -> bool:
        """Whether a part belongs to it.

        >>> [Shard(2, 3).holds(Part((0, 1), (0, 1), None, number)) for number in range(4)]
        [False, True, False, False]
        """
        return part.number % self.shares == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.shares}"


def _shard(study: StudyOptions) -> Shard:
    found = re.fullmatch(r"(\d{1,5})/(\d{1,5})", str(study.shard))
    shard = Shard(*map(int, found.groups())) if found else None
    if shard is None or not 1 <= shard.number <= shard.shares:
        raise UserError("study.shard", study.shard, "number/shares, such as 3/20 for the third of twenty")
    if study.precision is not None:
        raise UserError("study.shard", study.shard, "null with study.precision: ask for it of the merged sweep")
    return shard


def width(span: Span) -> int:
    """Length of a span."""
    return span[1] - span[0]


def pieces(points: Array, runs: Span, rows: int) -> Iterator[Batch]:
    """Cut runs of ascending points (P,) into batches of at most `rows`; all runs of a point stay together if they fit.

    >>> [(one.points, one.runs) for one in pieces(np.arange(5), (0, 4), 8)]
    [((0, 2), (0, 4)), ((2, 4), (0, 4)), ((4, 5), (0, 4))]
    >>> [(one.points, one.runs, one.chosen) for one in pieces(np.array([2, 4]), (0, 5), 3)]
    [((2, 3), (0, 3), None), ((2, 3), (3, 5), None), ((4, 5), (0, 3), None), ((4, 5), (3, 5), None)]
    """
    step = max(1, rows // max(1, width(runs)))
    for start in range(0, len(points), step):
        held = points[start : start + step]
        span = int(held[0]), int(held[-1]) + 1
        chosen = None if width(span) == len(held) else tuple(held.tolist())
        for first in range(*runs, rows):
            yield Batch(span, (first, min(first + rows, runs[1])), chosen)


def parts_for(have: Array, want: Array, number: int) -> list[Part]:
    """The parts, numbered from `number`, that bring each point (P,) from the runs it has to those that are wanted.

    >>> [(part.points, part.runs) for part in parts_for(np.array([5, 5, 0]), np.array([8, 8, 8]), 0)]
    [((2, 3), (0, 8)), ((0, 2), (5, 8))]
    """
    rows = max(LEAST_ROWS, -(-int(want.sum()) // PARTS))
    parts: list[Part] = []
    most = int(want.max(initial=0)) + 1
    pairs = np.unique(have[want > have] * most + want[want > have])
    for first, end in (divmod(pair, most) for pair in pairs.tolist()):
        points = np.flatnonzero((have == first) & (want == end))
        for one in pieces(points, (first, end), rows):
            parts.append(Part(one.points, one.runs, one.chosen, number + len(parts)))
    return parts


def runs_of(parts: Sequence[Part], points: int) -> Array:
    """How many runs each point (P,) has when all these parts are there."""
    have = np.zeros(points, dtype=np.int64)
    for part in parts:
        numbers = part.numbers()
        have[numbers] = np.maximum(have[numbers], part.runs[1])
    return have
