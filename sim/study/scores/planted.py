"""Datasets whose makers are known: histories of the model itself, and Poisson processes whose rate never changes."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sim.study.events.counts import Counts, Report, from_days
from sim.study.scores.bank import fill
from sim.world.scenario import Scenario

Array = npt.NDArray[Any]

PLANTED_ROWS: Final = 2**40
"""Rows from which planted histories are numbered: no bank reaches there, so no history is matched with itself."""
RATES: Final = (0.5, 3.0)
"""Attacks a day of the Poisson processes, drawn log-uniformly: about what the campaign has under the prior."""


def planted(scenario: Scenario, theatres: tuple[str, ...], days: int, datasets: int, seed: int) -> list[Counts]:
    """Counts of histories of the model, each at its own draw from the prior; those that saw direct war are left out."""
    wanted = datasets + datasets // 2 + 20
    bank = fill(scenario, theatres, days, wanted, seed, first_row=PLANTED_ROWS)
    by_day = np.diff(bank.so_far[:datasets].astype(np.int64), axis=1)
    return [from_days(theatres, 0, one, _report("planted")) for one in by_day]


def poisson(theatres: tuple[str, ...], days: int, datasets: int, seed: int) -> list[Counts]:
    """Counts of Poisson processes of constant rate, shared out among the theatres evenly and at random."""
    generator = np.random.Generator(np.random.Philox(key=[seed, 1]))
    low, high = RATES
    rates = low * (high / low) ** generator.random(datasets)
    shares = generator.dirichlet(np.ones(len(theatres)), datasets)
    means = np.broadcast_to((rates[:, None] * shares)[:, None, :], (datasets, days, len(theatres)))
    return [from_days(theatres, 0, one, _report("Poisson")) for one in generator.poisson(means)]


def _report(name: str) -> Report:
    return Report(name, 0, 0, {})
