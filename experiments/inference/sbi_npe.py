"""Neural posterior estimation with sbi, trained on the bank of task.npz; writes sbi_NPE.npz.

python experiments/inference/sbi_npe.py EPOCHS
"""

import sys
import time

import numpy as np
import torch
from sbi.inference import NPE
from scipy import special

DRAWS = 99


def seen_by_network(told):
    """Counts on a scale of ratios; figures that are 0 or 1 as they are."""
    return torch.as_tensor(np.log1p(told), dtype=torch.float32)


def main(epochs):
    task = np.load("task.npz")
    torch.manual_seed(int(task["seed"]))
    # Levels lie between 0 and 1; their normal scores have no edges that draws could fall over.
    scores = torch.as_tensor(special.ndtri(task["levels"]), dtype=torch.float32)
    size = scores.shape[1]
    prior = torch.distributions.MultivariateNormal(torch.zeros(size), torch.eye(size))
    began = time.process_time(), time.perf_counter()
    trainer = NPE(prior, density_estimator="maf", show_progress_bars=False)
    trainer.append_simulations(scores, seen_by_network(task["told"]))
    trainer.train(training_batch_size=1000, max_num_epochs=epochs)
    posterior = trainer.build_posterior()
    article = posterior.sample((2000,), x=seen_by_network(task["article"][None]), show_progress_bars=False)
    first = time.process_time() - began[0]
    drawn = posterior.sample_batched((DRAWS,), x=seen_by_network(task["planted"]), show_progress_bars=False)
    spent = time.process_time() - began[0], time.perf_counter() - began[1]
    np.savez(
        "sbi_NPE.npz",
        article=special.ndtr(article.numpy().astype(float)),
        planted=special.ndtr(drawn.numpy().astype(float)).transpose(1, 0, 2),
        histories=len(scores),
        first=first,
        spent=spent,
    )
    print(f"{trainer.summary['epochs_trained']} epochs, {spent[0]:.0f} s of processor, {spent[1]:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]))
