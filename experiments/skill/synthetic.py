"""Skill of the model's forecasts where the maker of the data is known; prints one table per kind of data.

python experiments/skill/synthetic.py DATASETS HISTORIES SEED
"""

import sys

from sim.analysis.forecast.attack_details import known_at
from sim.analysis.forecast.event_counts import Counts
from sim.analysis.forecast.forecasting import SimulatedPasts, fill, poisson, synthetic
from sim.analysis.forecast.scores import BETTER, NEITHER, SCORES, WORSE, Trial, skills, summaries, trials
from sim.model.scenario import Scenario, load
from sim.reporting.calibration_tables import SCORE_WORDS

THEATRES = ("iraq", "syria", "jordan")
DAYS = 147
FEWEST = 500


def forecasts(scenario: Scenario, datasets: list[Counts], histories: int, seed: int) -> list[Trial]:
    """Forecast every dataset from every cut with a bank from the prior that knows what was known by then."""

    def bank_for(known: Counts, cut: int, last: int) -> SimulatedPasts:
        return fill(known_at(scenario, cut, False), THEATRES, last + 1, range(max(histories, FEWEST)), seed)

    return trials(datasets, bank_for, seed)


def report(title: str, found: list[Trial]) -> None:
    """Print skill with its interval, in all and by the day of the forecast, where the model does not win, coverage."""
    print(f"\n**{title}**\n\n| Baseline | CRPS | Log score, nats | 50% interval score | 90% interval score |")
    print("|---|---|---|---|---|")
    gains = skills(found, lambda trial: trial.dataset)
    cells: dict[str, list[str]] = {}
    for one in gains:
        form = "{:+.2f} ({:+.2f} to {:+.2f})" if one.score == "log" else "{:+.0%} ({:+.0%} to {:+.0%})"
        cells.setdefault(one.benchmark, [""] * len(SCORES))[SCORES.index(one.score)] = form.format(
            one.gain, one.low, one.high
        )
    for name, row in cells.items():
        print(f"| {name} | {' | '.join(row)} |")
    cuts = sorted({one.cut for one in found})
    print("\nSkill by CRPS, by the day of the forecast (90% intervals):\n")
    print(f"| Baseline | {' | '.join(f'day {cut}' for cut in cuts)} |\n|{'---|' * (1 + len(cuts))}")
    by_cut = {}
    for cut in cuts:
        at = [one for one in found if one.cut == cut]
        by_cut[cut] = {one.benchmark: one for one in skills(at, lambda trial: trial.dataset) if one.score == "crps"}
    for name in cells:
        row = [by_cut[cut][name] for cut in cuts]
        print(f"| {name} | {' | '.join(f'{one.gain:+.0%} ({one.low:+.0%} to {one.high:+.0%})' for one in row)} |")
    print()
    for verdict, words in ((WORSE, "The model loses to"), (NEITHER, "No difference is shown to")):
        names: dict[str, list[str]] = {}
        for name in cells:
            lost = [SCORE_WORDS[one.score] for one in gains if (one.benchmark, one.verdict) == (name, verdict)]
            days = [f"day {cut}" for cut in cuts if by_cut[cut][name].verdict == verdict]
            parts = ("every score" if len(lost) == len(SCORES) else ", ".join(lost),
                     "every day" if len(days) == len(cuts) else ", ".join(days))  # fmt: skip
            if any(parts):
                names.setdefault("; ".join(filter(None, parts)), []).append(name)
        if names:
            listed = (f"{', '.join(some)} ({where})" for where, some in names.items())
            print(f"{words}: {'; '.join(listed)}.\n")
    if all(one.verdict == BETTER for one in gains):
        print("Over all forecasts the model wins against every baseline by every score.\n")
    model = summaries(found)[0]
    inside = ", ".join(f"{model.covered[level]:.1%} in the {level:.0%} band" for level in model.covered)
    held = ", ".join(f"{share:.1%}" for share in model.held.values())
    print(f"Counts inside the model's bands: {inside}; the bands promised {held}.")


if __name__ == "__main__":
    datasets, histories, seed = (int(text) for text in sys.argv[1:4])
    free, pinned = load(["history=free"]).scenario, load(["history=article"]).scenario
    made = synthetic(free, THEATRES, DAYS, datasets, seed)
    report("Histories of the model, nothing pinned", forecasts(free, made, histories, seed))
    made = synthetic(pinned, THEATRES, DAYS, datasets, seed)
    report("Histories of the model under the documented deaths and strikes", forecasts(pinned, made, histories, seed))
    flat = poisson(THEATRES, DAYS, datasets, seed)
    report("Constant rates, forecast with nothing pinned", forecasts(free, flat, histories, seed))
    report("Constant rates, forecast under the documented history", forecasts(pinned, flat, histories, seed))
