"""Parameter sets: draws of the priors, the posterior that comes with the package, and which set each run has.

History number r has draw r modulo the number of draws, whatever the scenario, so pairs of scenarios differ in what the
scenario changes and in nothing else. What a scenario or the command line has moved away from its declared default
stays there in every history.

The posterior is a table: each row is a draw, with the values of all fitted parameters, the number of the row of the
bank that it was, and what its history showed of each observation. Reading it needs nothing of what made it.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sim.experiment.statistics import Array, Column
from sim.model.aliases import current_column, current_record
from sim.model.cast import Cast
from sim.model.package_data import data_folder
from sim.model.parameters import Declaration, shared_declarations
from sim.model.scenario import CONDITIONED, POSTERIOR, Config, Scenario
from sim.model.scenario import DEFAULTS as DECLARED
from sim.model.validation import UserError

if TYPE_CHECKING:
    from sim.engine.inputs import Past


def free_declarations() -> dict[str, Declaration]:
    """The declarations with a prior that is not fixed, by full key: what calibration and balance draw."""
    return {key: one for key, one in shared_declarations().items() if one.prior.shape != "fixed"}


def prior_design(draws: int, seed: int) -> dict[str, Column]:
    """Independent draws (draws,) of every free parameter from its prior, within its declared range."""
    generator = np.random.Generator(np.random.Philox(seed))
    return {key: quantile(one, generator.random(draws)) for key, one in free_declarations().items()}


def quantile(declared: Declaration, level: npt.NDArray[Any]) -> Column:
    """The value of a parameter at probability levels of its prior (any shape).

    Raises:
        ValueError: the prior is fixed.
    """
    from scipy import special

    prior = declared.prior
    if prior.shape == "uniform":
        return np.asarray(prior.a + (prior.b - prior.a) * level)
    if prior.shape == "log_uniform":
        return np.asarray(prior.a * (prior.b / prior.a) ** level)
    if prior.shape == "normal":
        low, high = (special.ndtr((edge - prior.a) / prior.b) for edge in (declared.low, declared.high))
        return np.asarray(prior.a + prior.b * special.ndtri(low + (high - low) * level))
    raise ValueError(f"a {prior.shape} prior has no quantiles")


@dataclass(frozen=True)
class ParameterSets:
    """Columns of parameters by key, each (draws,); none: every history has the scenario's own numbers.

    With a `past` (draws,) a history also begins as the one did with which its draw reproduced the observations.
    """

    columns: Mapping[str, Array] = field(default_factory=dict)
    past: "Past | None" = None

    @property
    def draws(self) -> int:
        """Number of draws; 1 where every history has the scenario's own numbers."""
        return len(next(iter(self.columns.values()))) if self.columns else 1

    def design(self, scenario: Scenario) -> dict[str, Array]:
        """The columns that hold in a scenario: those that it has not moved itself."""
        declared = shared_declarations()
        return {key: one for key, one in self.columns.items() if scenario.number(key) == declared[key].default}

    def scenario(self, scenario: Scenario, run: int) -> Scenario:
        """The scenario with the numbers that one of its histories has.

        Raises:
            UserError: the history has a past, which a scenario cannot hold.
        """
        if self.past is not None:
            raise UserError("parameters", CONDITIONED, f"{DECLARED} or {POSTERIOR} where one history is narrated")
        design = self.design(scenario)
        if not design:
            return scenario
        groups = {one.name: getattr(scenario.parameters, one.name) for one in fields(scenario.parameters)}
        for key, column in design.items():
            group, name = key.split(".")
            groups[group] = replace(groups[group], **{name: float(column[run % len(column)])})
        return replace(scenario, parameters=replace(scenario.parameters, **groups))


DEFAULTS = ParameterSets()


def drawn_of(config: Config) -> ParameterSets:
    """The draws that a configuration asks for."""
    if config.parameters_from == DECLARED:
        return DEFAULTS
    if config.parameters_from == CONDITIONED:
        return conditioned_sets(config.scenario)
    return ParameterSets(shipped_posterior(config.scenario.cast).columns)


class OtherWinterError(UserError):
    """A configuration is of another winter than the one that was observed: another case, or free before the report."""


def conditioned_sets(scenario: Scenario, posterior: "Shipped | None" = None) -> ParameterSets:
    """The draws of a posterior with their pasts: up to the report, the histories that reproduced the observations.

    The posterior is that of the package unless another is given. Draws were kept with a probability in proportion to
    their importance weights, so all have the same weight.

    Raises:
        OtherWinterError: the scenario departs before the report is out, or there is no posterior of its case.
        UserError: the posterior cannot be read.
    """
    from sim.engine.inputs import Past

    posterior, calendar = posterior or shipped_posterior(scenario.cast), scenario.calendar
    if scenario.free_from is not None and scenario.free_from <= calendar.report:
        day, report = (calendar.date_of(day) for day in (scenario.free_from, calendar.report))
        why = f"documented history is free from {day} on, not only after the report of {report}"
        raise OtherWinterError("parameters", CONDITIONED, f"{DECLARED} or {POSTERIOR}; {why}")
    return ParameterSets(posterior.columns, Past(calendar.report + 1, int(posterior.about["seed"]), posterior.rows))


def lethal_chance(scenario: Scenario, columns: Mapping[str, Array]) -> Array:
    """Probability that an attack kills, p_pen p_lethal: one for each draw (draws,), or the scenario's own (1,)."""
    through, lethal = (
        columns[key] if key in columns else np.full(1, scenario.number(key))
        for key in ("casualties.penetration", "casualties.lethality")
    )
    return np.asarray(through * lethal)


NAME: Final = "posterior.parquet"
"""File of the posterior that comes with the package."""
ROW: Final = "row"
OBSERVATION: Final = "observed."
_ABOUT: Final = b"lull"


@dataclass(frozen=True)
class Shipped:
    """Draws of a posterior: `columns` by key of the parameter, `numbers` by id of the observation, `rows`, each
    (draws,).

    `about` says how it was made: seed, observations and likelihoods, sizes, versions, hash of the sources.
    """

    columns: Mapping[str, Array]
    numbers: Mapping[str, Array]
    rows: Array
    about: Mapping[str, Any]

    @property
    def draws(self) -> int:
        """Number of draws."""
        return len(self.rows)


def write_posterior(path: Path, posterior: Shipped) -> None:
    """Write a posterior as Parquet, parameters in single precision."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {
        ROW: pa.array(posterior.rows.astype(np.int64)),
        **{key: pa.array(column.astype(np.float32)) for key, column in posterior.columns.items()},
        **{OBSERVATION + key: pa.array(column.astype(np.float32)) for key, column in posterior.numbers.items()},
    }
    table = pa.table(arrays).replace_schema_metadata({_ABOUT: json.dumps(dict(posterior.about), allow_nan=False)})
    pq.write_table(table, path, use_dictionary=False, compression="zstd", column_encoding="BYTE_STREAM_SPLIT")


def read_posterior(path: Path) -> Shipped:
    """Read a posterior."""
    if sys.modules.get("pyarrow", sys) is None:  # hidden from pandas, which would take long to import it
        del sys.modules["pyarrow"]
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        about = json.loads((table.schema.metadata or {})[_ABOUT])
    except (OSError, KeyError, ValueError, pa.ArrowException):
        raise UserError("parameters", "posterior", f"defaults; no posterior can be read from {path}") from None
    columns = {current_column(name): table[name].to_numpy().astype(np.float64) for name in table.column_names}
    rows = columns.pop(ROW).astype(np.int64)
    numbers = {
        name.removeprefix(OBSERVATION): columns.pop(name) for name in list(columns) if name.startswith(OBSERVATION)
    }
    return Shipped({key: _within(key, one, path) for key, one in columns.items()}, numbers, rows, current_record(about))


def _within(key: str, column: Array, path: Path) -> Array:
    """A column within the declared range, which single precision may overstep by a hair."""
    declared = shared_declarations().get(key)
    if declared is None:
        raise UserError("parameters", "posterior", f"defaults; {key} in {path} is no parameter")
    cut = np.clip(column, declared.low, declared.high)
    if not np.allclose(cut, column, rtol=1e-5, atol=1e-7):
        raise UserError("parameters", "posterior", f"defaults; {key} in {path} is out of range")
    return np.asarray(cut)


def shipped_path() -> Path:
    """Where the posterior of the package lies."""
    return data_folder("seeds") / NAME


def shipped_posterior(cast: Cast) -> Shipped:
    """The posterior of the package, for a case with the same wings.

    Raises:
        OtherWinterError: it is of another case.
        UserError: there is none.
    """
    posterior = carried_over()
    if list(cast.wings) != list(posterior.about["wings"]):
        raise OtherWinterError("parameters", "posterior", "defaults; the posterior was fitted to another case")
    return posterior


def carried_over() -> Shipped:
    """The posterior of the package for a case with other wings: its parameters are shared by all wings.

    Raises:
        UserError: there is none.
    """
    return _read(shipped_path())


@lru_cache(maxsize=1)
def _read(path: Path) -> Shipped:
    return read_posterior(path)
