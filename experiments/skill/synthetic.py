"""Skill of the model's forecasts where the maker of the data is known; prints one table per kind of data.

python experiments/skill/synthetic.py DATASETS HISTORIES SEED
"""

import sys

from sim.analysis.forecast.event_counts import Counts
from sim.analysis.forecast.forecasting import SimulatedPasts, fill, known_at, poisson, synthetic
from sim.analysis.forecast.scores import BETTER, SCORES, WORSE, Trial, skills, summaries, trials
from sim.model.scenario import Scenario, load

THEATRES = ("iraq", "syria", "jordan")
DAYS = 147
FEWEST = 500


def forecasts(scenario: Scenario, datasets: list[Counts], histories: int, seed: int) -> list[Trial]:
    """Forecast every dataset from every cut with a bank from the prior that knows what was known by then."""

    def bank_for(known: Counts, cut: int, last: int) -> SimulatedPasts:
        return fill(known_at(scenario, cut, False), THEATRES, last + 1, range(max(histories, FEWEST)), seed)

    return trials(datasets, bank_for, seed)


def tell(title: str, found: list[Trial]) -> None:
    """Print gains with their intervals, cut by cut for the CRPS, and coverage."""
    print(f"\n**{title}**\n\n| PriorComparison | CRPS | Log score, nats | 50% interval score | 90% interval score |")
    print("|---|---|---|---|---|")
    cells: dict[str, list[str]] = {}
    for one in skills(found, lambda trial: trial.dataset):
        form = "{:+.2f} ({:+.2f} to {:+.2f})" if one.score == "log" else "{:+.0%} ({:+.0%} to {:+.0%})"
        cells.setdefault(one.benchmark, [""] * len(SCORES))[SCORES.index(one.score)] = form.format(
            one.gain, one.low, one.high
        )
    for name, row in cells.items():
        print(f"| {name} | {' | '.join(row)} |")
    print("\nGain by the CRPS, by the day of the forecast (days with no difference shown in brackets):\n")
    for name in cells:
        words = []
        for cut in sorted({one.cut for one in found}):
            at = [one for one in found if one.cut == cut]
            skill = next(
                one for one in skills(at, lambda trial: trial.dataset) if (one.benchmark, one.score) == (name, "crps")
            )
            text = f"day {cut} {skill.gain:+.0%}"
            words.append(text if skill.verdict in (BETTER, WORSE) else f"({text})")
        print(f"- {name}: {', '.join(words)}")
    model = summaries(found)[0]
    inside = ", ".join(f"{model.covered[level]:.1%} in the {level:.0%} band" for level in model.covered)
    held = ", ".join(f"{share:.1%}" for share in model.held.values())
    print(f"\nCounts inside the model's bands: {inside}; the bands promised {held}.")


if __name__ == "__main__":
    datasets, histories, seed = (int(text) for text in sys.argv[1:4])
    free, pinned = load(["history=free"]).scenario, load(["history=article"]).scenario
    made = synthetic(free, THEATRES, DAYS, datasets, seed)
    tell("Histories of the model, nothing pinned", forecasts(free, made, histories, seed))
    made = synthetic(pinned, THEATRES, DAYS, datasets, seed)
    tell("Histories of the model under the documented deaths and strikes", forecasts(pinned, made, histories, seed))
    flat = poisson(THEATRES, DAYS, datasets, seed)
    tell("Constant rates, forecast with nothing pinned", forecasts(free, flat, histories, seed))
    tell("Constant rates, forecast under the documented history", forecasts(pinned, flat, histories, seed))
