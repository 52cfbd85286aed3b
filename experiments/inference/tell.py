"""Judges every method whose draws lie in the current folder, and prints the tables of README.md."""

from pathlib import Path

import numpy as np

from sim.analysis.calibration.sbc import REGIONS, Ranked, check, narrowed
from sim.experiment.statistics import midpoint_quantile, weighted_deviation

TAILS = (0.05, 0.5, 0.95)


def ranked(task, planted, region):
    """Truths of one region among the draws (sets, draws, parameters); sets without draws are left out."""
    inside = (task["region"][: len(planted)] == region) & ~np.isnan(planted).any(axis=(1, 2))
    draws, truths = planted[inside], task["truths"][: len(planted)][inside]
    names = tuple(str(place) for place in range(truths.shape[1]))
    left_out = int((task["region"][: len(planted)] == region).sum() - inside.sum())
    return Ranked(
        region, names, (draws < truths[:, None]).sum(axis=1), truths, draws.mean(axis=1), np.ones_like(truths), left_out
    )


def tell_planted(task, methods):
    print("| Method | Truths | Ranked | Left out | Ranks uniform | Coverage of 50% | Coverage of 90% | Within error |")
    print("|---|---|---|---|---|---|---|---|")
    for name, made in methods.items():
        for region in REGIONS:
            found = ranked(task, made["planted"], region)
            if found.sets < 2:
                continue
            checked = check(found)
            half, most = (np.mean([getattr(one, f"coverage_{level}") for one in checked]) for level in (50, 90))
            uniform, covered = (sum(getattr(one, what) for one in checked) for what in ("uniform", "coverage_ok"))
            print(
                f"| {name} | {region} | {found.sets} | {found.left_out} | {uniform} of {len(checked)} "
                f"| {half:.1%} | {most:.1%} | {covered} of {len(checked)} |"
            )


def tell_article(task, methods):
    """Medians, in deviations of the reference, and 90% widths: the farthest of the parameters, levels of the prior."""
    levels, weights = task["reference"], task["weights"]
    print(
        "\n| Method | Histories | Draws | Medians apart, largest | typical | 90% widths apart | CPU s | further sets |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, made in methods.items():
        draws = made["article"]
        if len(draws) < 2 or not weights.any():
            continue
        gaps, widths = [], []
        for mine, column in zip(draws.T, levels.T, strict=True):
            low, middle, high = midpoint_quantile(column, weights, TAILS)
            here = np.quantile(mine, TAILS)
            gaps.append(abs(here[1] - middle) / weighted_deviation(column, weights))
            widths.append((here[2] - here[0]) / (high - low) - 1.0)
        others = int((~np.isnan(made["planted"]).any(axis=(1, 2))).sum())
        further = (made["spent"][0] - made["first"]) / max(others, 1)
        print(
            f"| {name} | {int(made['histories']):,} | {len(draws)} | {max(gaps):.2f} | {np.median(gaps):.2f} "
            f"| {min(widths):+.0%} to {max(widths):+.0%} | {float(made['first']):.1f} | {further:.2f} |"
        )


def main():
    task = np.load("task.npz")
    paths = sorted(Path().glob("*.npz"), key=lambda one: (one.stem != "own", one.stem))
    methods = {one.stem: dict(np.load(one)) for one in paths if one.stem != "task"}
    halved = np.array([narrowed(one) for one in methods["own"]["planted"]])
    methods["own, narrowed by half"] = methods["own"] | {"planted": halved, "article": np.empty((0, 0))}
    squares = (task["weights"] ** 2).sum()
    print(f"reference: {task['weights'].sum() ** 2 / squares if squares else 0.0:.0f} effective draws")
    print(f"{len(task['levels']):,} histories: {task['lived'][0]:.1f} s of processor, {task['lived'][1]:.1f} s\n")
    tell_planted(task, methods)
    tell_article(task, methods)


if __name__ == "__main__":
    main()
