"""Rejection with ELFI, alone and with its linear adjustment; writes elfi_rejection.npz and elfi_adjusted.npz.

python experiments/inference/elfi_abc.py HISTORIES KEPT SETS

ELFI asks the simulator for batches; the pool keeps what was lived, so that other data sets meet the same histories.
"""

import sys
import time

import elfi
import numpy as np
from own import KEYS, evidence_in, problem

DRAWS = 99
BATCH = 20_000


def model_of(task):
    """The model, its simulator standing for histories and reports, all figures on comparable scales."""
    prior, figures = problem(int(task["seed"]) + 3)
    scale = np.maximum(np.log1p(task["told"]).std(axis=0), 1e-9)

    def live(*inputs, batch_size, random_state):
        first = int(random_state.randint(2**30))
        return evidence_in(prior, figures, np.stack(inputs, axis=1), first, np.random.default_rng(first))

    model = elfi.ElfiModel()
    names = [key.replace(".", "_") for key in KEYS]
    priors = [elfi.Prior("uniform", 0, 1, model=model, name=name) for name in names]
    told = elfi.Simulator(live, *priors, model=model, name="told", observed=task["article"][None])
    figures_told = [
        elfi.Summary(lambda told, one=one: np.log1p(told[:, one]) / scale[one], told, model=model, name=f"figure{one}")
        for one in range(len(scale))
    ]
    elfi.Distance("euclidean", *figures_told, model=model, name="distance")
    return model, names, [one.name for one in figures_told]


def main(histories, kept, sets):
    task = np.load("task.npz")
    model, names, summaries = model_of(task)
    pool = elfi.OutputPool([*names, "told"])
    seed = int(task["seed"])

    def posterior(told):
        model.observed["told"] = told[None]
        sampler = elfi.Rejection(
            model, "distance", output_names=summaries, batch_size=min(BATCH, histories), seed=seed, pool=pool
        )
        sample = sampler.sample(kept, n_sim=histories, bar=False)
        # What never varies among the kept tells the regression nothing.
        varied = [one for one in summaries if np.ptp(sample.outputs[one]) > 0]
        adjusted = elfi.adjust_posterior(sample, model, varied, names) if varied else sample
        return [np.stack([one.samples[name] for name in names], axis=1) for one in (sample, adjusted)]

    began = time.process_time(), time.perf_counter()
    article = posterior(task["article"])
    first = time.process_time() - began[0]
    generator = np.random.default_rng(seed)
    planted = np.full((2, len(task["planted"]), DRAWS, len(KEYS)), np.nan)
    chosen = np.concatenate([np.flatnonzero(task["region"] == one)[:sets] for one in np.unique(task["region"])])
    for place in chosen:
        for which, draws in enumerate(posterior(task["planted"][place])):
            planted[which, place] = draws[generator.choice(len(draws), DRAWS, replace=False)]
    spent = time.process_time() - began[0], time.perf_counter() - began[1]
    for which, name in enumerate(("elfi_rejection", "elfi_adjusted")):
        np.savez(
            f"{name}.npz",
            article=article[which],
            planted=planted[which],
            histories=histories,
            first=first,
            spent=spent,
        )
    print(f"{len(chosen)} sets, {spent[0]:.0f} s of processor, {spent[1]:.0f} s")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
