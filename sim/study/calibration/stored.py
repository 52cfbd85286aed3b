"""A calibration as ArviZ keeps one: draws before and after, and what was reported."""

from pathlib import Path
from typing import Any

import numpy as np

from sim.study.calibration.calibrating import Calibration
from sim.study.calibration.diagnostics import arviz
from sim.study.calibration.posterior import combined
from sim.study.calibration.predictive import prior_draws


def inference_data(done: Calibration) -> Any:
    """ArviZ's InferenceData: groups posterior and prior (chain, draw), one variable a parameter, and observed_data.

    Attributes of a variable are unit, symbol, meaning and verdict; those of the groups tell how it was made.
    """
    before = prior_draws(done.posterior.bank).columns
    data = arviz().from_dict(
        posterior={key: one[None, :] for key, one in {**done.kept.columns, **combined(done.kept.columns)}.items()},
        prior={key: one[None, :] for key, one in {**before, **combined(before)}.items()},
        observed_data={one.id: np.array([one.reading.told]) for one in done.settings.figures},
    )
    about = {key: str(value) for key, value in done.kept.about.items()}
    for group in data.groups():
        data[group].attrs = about
    for one in done.quantities:
        for group in ("posterior", "prior"):
            data[group][one.name].attrs = {
                "units": one.unit, "symbol": one.symbol, "long_name": one.text, "verdict": one.verdict,
            }  # fmt: skip
    for figure in done.settings.figures:
        data["observed_data"][figure.id].attrs = {
            "long_name": figure.text, "source": figure.source, "read_as": figure.reading.words,
        }  # fmt: skip
    return data


def store(done: Calibration, path: Path) -> None:
    """Write it as netCDF."""
    inference_data(done).to_netcdf(str(path), engine="h5netcdf")
