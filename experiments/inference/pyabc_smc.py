"""Sequential Monte Carlo with pyABC, which asks for one history at a time; writes pyabc_SMC.npz.

python experiments/inference/pyabc_smc.py HISTORIES POPULATION
"""

import sys
import tempfile
import time

import numpy as np
import pyabc
from own import KEYS, evidence_in, problem


def main(histories, population):
    task = np.load("task.npz")
    seed = int(task["seed"])
    np.random.seed(seed)  # noqa: NPY002 - pyABC draws from numpy's global stream
    prior, figures = problem(seed + 4)
    generator = np.random.default_rng(seed)
    names = [one.id for one in figures]
    scale = np.maximum(np.log1p(task["told"]).std(axis=0), 1e-9)

    def live(parameters):
        levels = np.array([[parameters[key] for key in KEYS]])
        told = evidence_in(prior, figures, levels, int(generator.integers(2**30)), generator)[0]
        return dict(zip(names, np.log1p(told), strict=True))

    even = pyabc.Distribution(**{key: pyabc.RV("uniform", 0, 1) for key in KEYS})
    distance = pyabc.PNormDistance(p=2, fixed_weights=dict(zip(names, 1.0 / scale, strict=True)))
    began = time.process_time(), time.perf_counter()
    search = pyabc.ABCSMC(live, even, distance, population, sampler=pyabc.SingleCoreSampler())
    with tempfile.TemporaryDirectory() as folder:
        search.new(f"sqlite:///{folder}/store.db", dict(zip(names, np.log1p(task["article"]), strict=True)))
        history = search.run(minimum_epsilon=1e-9, max_total_nr_simulations=histories, max_walltime=None)
        frame, weights = history.get_distribution()
        lived, tolerance = history.total_nr_simulations, history.get_all_populations().epsilon.iloc[-1]
    chosen = generator.choice(len(frame), len(frame), p=weights)
    article = frame[list(KEYS)].to_numpy()[chosen]
    spent = time.process_time() - began[0], time.perf_counter() - began[1]
    np.savez(
        "pyabc_SMC.npz",
        article=article,
        planted=np.full((0, 99, len(KEYS)), np.nan),
        histories=lived,
        first=spent[0],
        spent=spent,
    )
    print(f"{lived} histories, tolerance {tolerance:.2f}, {spent[0]:.0f} s of processor, {spent[1]:.0f} s")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
