"""The points of a sweep: where in the space of parameters histories are lived.

A design gives any range of its points without making the others, so a million points need no memory and a worker makes
its own. Points are numbered; the same design with more points begins with the same ones, or says why it cannot.
"""

import math
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from sim.study.prior import free_declarations
from sim.study.sweep.axes import Axes, Axis, Drawn, Levels, check_swept, checked, declaration, spelled, top_of
from sim.study.sweep.settings import Settings
from sim.world.errors import UserError, one_of
from sim.world.extension import UNEXTENDED, Extended, Extension
from sim.world.overrides import parsed_override
from sim.world.schema import TOP_KEYS

Array = npt.NDArray[Any]
Column = npt.NDArray[np.float64]
Columns = dict[str, Column]

SELDOM: Final = 1000
"""More groups than this in a table of points is taken for a mistake."""

BOOKKEEPING: Final = ("point", "sample", "policy")
"""Columns that every stored sweep has of its own; those of a table are carried along as table.point and so on."""


class Design(Protocol):
    """Points of a sweep, numbered from 0 to `samples`."""

    @property
    def kind(self) -> str:
        """What it is called."""

    @property
    def samples(self) -> int:
        """Number of points."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Parameters that vary."""

    @property
    def fixed_size(self) -> str | None:
        """Why it cannot have more points and keep the old ones; None where it can."""

    def columns(self, start: int, stop: int) -> Columns:
        """Values of the parameters at points start to stop."""

    def places(self, start: int, stop: int) -> Array:
        """Which of `variants` each of these points belongs to."""

    @property
    def variants(self) -> tuple[dict[str, str], ...]:
        """Overrides that some points of a table ask for beyond numbers; ({},) where there are none."""

    @property
    def carried(self) -> Mapping[str, pa.Array]:
        """Columns of a table that change nothing and are written as they are."""


@dataclass(frozen=True)
class Sampled:
    """Points made by a rule: full factorial, scrambled Sobol sequence, Latin hypercube or independent draws."""

    kind: str
    axes: tuple[Axis, ...]
    samples: int
    seed: int

    @property
    def keys(self) -> tuple[str, ...]:
        """Parameters that vary, the first the slowest in a factorial."""
        return tuple(axis.key for axis in self.axes)

    @property
    def variants(self) -> tuple[dict[str, str], ...]:
        """None: all points differ in numbers alone."""
        return ({},)

    @property
    def carried(self) -> Mapping[str, pa.Array]:
        """None: they come from a table alone."""
        return {}

    @property
    def fixed_size(self) -> str | None:
        """Why it cannot have more points and keep the old ones."""
        return {
            "lhs": "a Latin hypercube is made for one number of points; sobol and random go on",
            "factorial": "a full factorial has as many points as its levels have combinations",
        }.get(self.kind)

    def columns(self, start: int, stop: int) -> Columns:
        """Values of the parameters at points start to stop."""
        unit = self.unit(start, stop)
        return {axis.key: np.ascontiguousarray(axis.at(unit[:, place])) for place, axis in enumerate(self.axes)}

    def places(self, start: int, stop: int) -> Array:
        """All zero."""
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

    `carried` are the columns that are no keys.
    """

    numbers: Columns
    variants: tuple[dict[str, str], ...]
    variant: Array
    kind: str = "table"
    fixed_size: str | None = None
    carried: Mapping[str, pa.Array] = field(default_factory=dict)

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


def make_design(
    axes: Axes,
    settings: Settings,
    seed: int,
    extended: Extended = UNEXTENDED,
    points: pd.DataFrame | None = None,
) -> Design:
    """The design that the axes and the settings ask for; the parameters of extensions may vary too.

    Args:
        axes: what varies, and what is fixed.
        settings: how the sweep is made.
        seed: the seed of the study.
        extended: what extensions add.
        points: a table of points in place of that of the settings.

    Raises:
        UserError: the settings contradict each other or the axes, or a table cannot be read.
    """
    if points is not None or settings.table is not None:
        return _table_design(axes, settings, points, extended.extensions)
    if settings.ignore:
        raise UserError("study.ignore", spelled(list(settings.ignore)), "null; without study.table there is no column")
    numbers: tuple[Axis, ...] = axes.numbers
    if settings.draws is not None:
        numbers = (*numbers, *_drawn(axes, extended))
    levels = all(isinstance(axis, Levels) for axis in numbers)
    kind = settings.design or ("random" if settings.draws else "factorial" if levels else "sobol")
    if kind == "factorial":
        return _full(numbers, settings, seed)
    if not numbers:
        raise UserError("study.design", kind, "null; no number varies, so there is nothing to sample")
    if settings.points is None:
        raise UserError("study.points", None, f"a whole number; a {kind} design has as many points as it is told")
    return Sampled(kind, numbers, settings.points, seed)


def _full(numbers: Sequence[Axis], settings: Settings, seed: int) -> Sampled:
    endless = [axis for axis in numbers if not isinstance(axis, Levels)]
    if endless:
        raise UserError(endless[0].key, endless[0].text, "values such as range(0,1,0.1) in a factorial design")
    count = math.prod(len(axis.values) for axis in numbers if isinstance(axis, Levels))
    if settings.points is not None and settings.points != count:
        raise UserError("study.points", settings.points, f"null or {count}, the number of combinations")
    return Sampled("factorial", tuple(numbers), count, seed)


def _drawn(axes: Axes, extended: Extended) -> tuple[Drawn, ...]:
    """The parameters that follow their priors: those with a prior that the user has not set or swept."""
    taken = {axis.key for axis in axes.numbers} | axes.fixed_keys
    own = {key: one for key, one in extended.declarations.items() if one.prior.shape != "fixed"}
    drawn = (*(Drawn(key) for key in free_declarations()), *(Drawn(key, one) for key, one in own.items()))
    return tuple(one for one in drawn if one.key not in taken)


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
    axes: Axes, settings: Settings, points: pd.DataFrame | None, added: tuple[Extension, ...]
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


def read_points(path: Path) -> pd.DataFrame:
    """A table of points from a CSV or Parquet file.

    Raises:
        UserError: there is no such file, or it is neither.
    """
    if not path.is_file():
        raise UserError("study.table", path, "an existing CSV or Parquet file")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, float_precision="round_trip", keep_default_na=True)
    except (OSError, ValueError) as problem:
        raise UserError("study.table", path, f"a readable CSV or Parquet file ({problem})") from None


def tabled(
    table: pd.DataFrame,
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

    Raises:
        UserError: a column is no key that a sweep varies, is empty somewhere, holds a number out of range, or is set
            elsewhere too.
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
    key = parsed_override(f"{name}=0")
    check_swept(key, "(a column of study.table)")
    if not _is_key(name, added):
        raise UserError(name, "(a column of study.table)", "keys; study.ignore names columns to carry along unchanged")
    if key.key_or_group in elsewhere:
        raise UserError(name, "(twice)", "either a column of study.table or values on the command line")
    if values.isna().any():
        row = int(np.flatnonzero(values.isna())[0]) + 1
        raise UserError(name, f"(empty in row {row} of study.table)", "a value for every point")


def _as_it_is(name: str, values: "pd.Series[Any]") -> pa.Array:
    """A column that is carried along; where it is empty it stays so."""
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


def _variants(table: pd.DataFrame, names: Sequence[str]) -> tuple[tuple[dict[str, str], ...], Array]:
    """The distinct combinations of all columns that are no parameters, and which of them each row has."""
    if not names:
        return ({},), np.zeros(len(table), dtype=np.int64)
    grouped = table.groupby(list(names), sort=False)
    variant = grouped.ngroup().to_numpy(dtype=np.int64)
    rows = table[list(names)].drop_duplicates()
    if len(rows) > SELDOM:
        raise UserError(names[0], f"{len(rows)} combinations", f"at most {SELDOM} of keys that are no parameters")
    found = tuple(
        {name: spelled(_plain(value)) for name, value in zip(names, row, strict=True)}
        for row in rows.itertuples(index=False, name=None)
    )
    return found, variant


def _plain(value: Any) -> Any:
    """A cell as plain Python."""
    return value.item() if isinstance(value, np.generic) else value
