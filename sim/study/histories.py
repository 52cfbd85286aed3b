"""The file of histories: outcomes of every run, written batch by batch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import h5netcdf
    import xarray as xr

ENGINE: Final = "h5netcdf"
CHUNK: Final = 4096
"""Runs stored, and read back, at a time."""


class HistoryFile:
    """A netCDF file that grows along `run`; the latest batch waits, so a single one costs no time before the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: xr.Dataset | None = None
        self._begun = False

    def append(self, data: "xr.Dataset") -> None:
        """Add the next batch of runs."""
        self._write()
        self._waiting = data

    def close(self, **known_at_the_end: "np.ndarray[Any, Any]") -> None:
        """Write what waits, and variables anew that do not grow and are only known at the end."""
        import h5netcdf

        self._write()
        with h5netcdf.File(self.path, "a") as file:
            for name, values in known_at_the_end.items():
                file.variables[name][...] = values

    def _write(self) -> None:
        data, self._waiting = self._waiting, None
        if data is None:
            return
        if self._begun:
            import h5netcdf

            with h5netcdf.File(self.path, "a") as file:
                _extend(file, data)
        else:
            data.to_netcdf(self.path, engine=ENGINE, unlimited_dims=["run"], encoding=_packed(data))
            self._begun = True


def _packed(data: "xr.Dataset") -> dict[str, dict[str, Any]]:
    """How variables are stored: compressed, in chunks of runs."""
    packed: dict[str, dict[str, Any]] = {}
    for name, one in data.variables.items():
        if one.ndim and one.dtype.kind in "iuf":
            packed[str(name)] = {"zlib": True, "complevel": 1, "shuffle": True}
            if "run" in one.dims:
                shape = [CHUNK if dim == "run" else size for dim, size in one.sizes.items()]
                packed[str(name)]["chunksizes"] = tuple(shape)
    return packed


def _extend(file: "h5netcdf.File", data: "xr.Dataset") -> None:
    start = file.dimensions["run"].size
    stop = start + data.sizes["run"]
    file.resize_dimension("run", stop)
    for name, one in data.variables.items():
        if "run" in one.dims:
            file.variables[str(name)][start:stop, ...] = one.values
