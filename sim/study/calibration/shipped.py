"""The posterior that comes with the package: a small table of draws, and where it comes from.

Each row is a draw: the values of all fitted parameters, the number of the row of the bank that it was, and what its
history showed of each figure. Reading it needs nothing of what made it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from sim.world.actors import Cast
from sim.world.data import data_folder
from sim.world.errors import UserError
from sim.world.parameters import shared_declarations

Array = npt.NDArray[Any]

NAME: Final = "posterior.parquet"
ROW: Final = "row"
FIGURE: Final = "figure."
_ABOUT: Final = b"lull"


@dataclass(frozen=True)
class Shipped:
    """Draws of a posterior: `columns` by key of the parameter, `numbers` by id of the figure, `rows`, each (draws,).

    `about` tells how it was made: seed, figures and readings, sizes, versions, hash of the sources.
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
    arrays = {
        ROW: pa.array(posterior.rows.astype(np.int64)),
        **{key: pa.array(column.astype(np.float32)) for key, column in posterior.columns.items()},
        **{FIGURE + key: pa.array(column.astype(np.float32)) for key, column in posterior.numbers.items()},
    }
    table = pa.table(arrays).replace_schema_metadata({_ABOUT: json.dumps(dict(posterior.about), allow_nan=False)})
    pq.write_table(table, path, use_dictionary=False, compression="zstd", column_encoding="BYTE_STREAM_SPLIT")


def read_posterior(path: Path) -> Shipped:
    """Read a posterior.

    Raises:
        UserError: there is none, it cannot be read, or it holds what is no parameter or out of range.
    """
    try:
        table = pq.read_table(path)
        about = json.loads((table.schema.metadata or {})[_ABOUT])
    except (OSError, KeyError, ValueError, pa.ArrowException):
        raise UserError("parameters", "posterior", f"defaults; no posterior can be read from {path}") from None
    columns = {name: table[name].to_numpy().astype(np.float64) for name in table.column_names}
    rows = columns.pop(ROW).astype(np.int64)
    numbers = {name.removeprefix(FIGURE): columns.pop(name) for name in list(columns) if name.startswith(FIGURE)}
    return Shipped({key: _within(key, one, path) for key, one in columns.items()}, numbers, rows, about)


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
        UserError: there is none, or it is of another case.
    """
    posterior = _read(shipped_path())
    if list(cast.wings) != list(posterior.about["wings"]):
        raise UserError("parameters", "posterior", "defaults; the posterior was fitted to another case")
    return posterior


@lru_cache(maxsize=1)
def _read(path: Path) -> Shipped:
    return read_posterior(path)
