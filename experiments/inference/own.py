"""The task that all methods are given, and the project's own answer to it: weighing rows of a bank.

python experiments/inference/own.py BANK REFERENCE TRUTHS SEED

Lives BANK histories, REFERENCE more for the posterior that all are compared with, and plants up to TRUTHS data sets in
each region. Writes task.npz (what others read) and own.npz (draws of the posteriors) to the current folder.
"""

import sys
import time

import numpy as np

from sim.analysis.calibration.observations import found, seen, settings_of
from sim.analysis.calibration.posterior import PriorSampler, accepted, fill, likelihood, reported, simulate
from sim.analysis.calibration.sbc import DRAWS, REGIONS, Cells, reports
from sim.model.scenario import load

KEYS = (
    "multipliers.baseline",
    "observation.chance",
    "casualties.penetration",
    "casualties.lethality",
    "deterrence.fear_half_life",
    "mediator.weight",
    "patron.control",
    "ladder.war_rate",
)
"""Factors that the figures see only as products, two of which they say a little, and two of which they say nothing."""
PLANTED = 60_000
"""Histories, at most, that truths are picked from."""


def problem(seed):
    """The prior of the eight parameters, all others at their defaults, and the figures of the article."""
    config = load()
    return PriorSampler(config.scenario, KEYS, seed), settings_of(config).figures


def evidence_in(prior, figures, levels, first, generator):
    """What is reported (rows, figures) of fresh histories at levels (rows, parameters); `first` numbers their luck."""
    rows = first + np.arange(len(levels))
    columns = prior.columns(levels)
    here = seen(prior.scenario, simulate(prior, columns, rows))
    chance = columns["casualties.penetration"] * columns["casualties.lethality"]
    return np.stack([one.reading.report(found(one, here), chance, generator) for one in figures], axis=1)


def main(draws, reference, truths, seed):
    prior, figures = problem(seed)
    generator = np.random.default_rng(seed)
    fill(prior, figures, 8)  # compiles
    began = time.process_time(), time.perf_counter()
    bank = fill(prior, figures, draws)
    lived = time.process_time() - began[0], time.perf_counter() - began[1]
    plants = fill(PriorSampler(prior.scenario, KEYS, seed + 1), figures, min(PLANTED, 200 * truths))
    told = reports(plants, generator)
    picked = {name: np.flatnonzero(inside(figures, told))[:truths] for name, inside in REGIONS.items()}
    places = np.concatenate(list(picked.values()))
    table = np.stack([told[one.id] for one in figures], axis=1)
    np.savez(
        "task.npz",
        seed=seed,
        lived=lived,
        levels=prior.levels(np.arange(draws)),
        told=np.stack(list(reports(bank, generator).values()), axis=1),
        article=np.array([one.reading.observed for one in figures]),
        truths=plants.prior.levels(places),
        planted=table[places],
        region=np.repeat(list(picked), [len(one) for one in picked.values()]),
        **large(PriorSampler(prior.scenario, KEYS, seed + 2), figures, reference),
    )
    began = time.process_time(), time.perf_counter()
    article = weights_of(bank)
    article = prior.levels(accepted(article, generator)) if article.any() else np.empty((0, len(KEYS)))
    first = time.process_time() - began[0]
    cells = Cells(bank, plants, told)
    rows = [cells.draws(place, {key: float(one[place]) for key, one in told.items()}, generator) for place in places]
    drawn = [np.full((DRAWS, len(KEYS)), np.nan) if one is None else prior.levels(one) for one in rows]
    spent = time.process_time() - began[0], time.perf_counter() - began[1]
    np.savez("own.npz", article=article, planted=np.array(drawn), histories=draws, first=first, spent=spent)
    print(f"{len(article)} draws for the article; {sum(one is not None for one in rows)} of {len(rows)} planted sets")


def weights_of(bank):
    """The probability (rows,) that each row would be reported as the article has it."""
    return likelihood(bank.figures, bank.numbers, bank.chance, reported(bank.figures))


def large(prior, figures, draws):
    """Levels and weights of the rows of a much larger bank that agree with the article."""
    weights = weights_of(fill(prior, figures, draws))
    rows = np.flatnonzero(weights)
    return {"reference": prior.levels(rows), "weights": weights[rows]}


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
