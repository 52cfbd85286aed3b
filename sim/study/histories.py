"""The file of histories: outcomes of every run, written batch by batch."""

from pathlib import Path
from typing import Any, Final

import h5netcdf
import numpy as np
import xarray as xr

ENGINE: Final = "h5netcdf"
CHUNK: Final = 4096
"""Runs stored, and read back, at a time."""


class HistoryFile:
    """A netCDF file that grows along `run`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begun = False

    def append(self, data: xr.Dataset) -> None:
        """Add the next batch of runs."""
        if self._begun:
            with h5netcdf.File(self.path, "a") as file:
                _extend(file, data)
        else:
            data.to_netcdf(self.path, engine=ENGINE, unlimited_dims=["run"], encoding=_packed(data))
            self._begun = True

    def replace(self, name: str, values: "np.ndarray[Any, Any]") -> None:
        """Write a variable anew that does not grow: what is only known at the end."""
        with h5netcdf.File(self.path, "a") as file:
            file.variables[name][...] = values


def _packed(data: xr.Dataset) -> dict[str, dict[str, Any]]:
    """How variables are stored: compressed, in chunks of runs."""
    packed: dict[str, dict[str, Any]] = {}
    for name, one in data.variables.items():
        if one.ndim and one.dtype.kind in "iuf":
            packed[str(name)] = {"zlib": True, "complevel": 1, "shuffle": True}
            if "run" in one.dims:
                shape = [CHUNK if dim == "run" else size for dim, size in one.sizes.items()]
                packed[str(name)]["chunksizes"] = tuple(shape)
    return packed


def _extend(file: "h5netcdf.File", data: xr.Dataset) -> None:
    start = file.dimensions["run"].size
    stop = start + data.sizes["run"]
    file.resize_dimension("run", stop)
    for name, one in data.variables.items():
        if "run" in one.dims:
            file.variables[str(name)][start:stop, ...] = one.values
