"""Tables of forecasts from a user's counts, and of skill."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from sim.study.events.counts import Counts
from sim.study.scores.own import Prediction
from sim.study.scores.scoring import BANDS, SCORES
from sim.study.scores.skill import BETTER, FEWEST_UNITS, MODEL, NEITHER, TOO_FEW, VERDICTS, WORSE, Skill, Summary
from sim.study.scores.told import STRANGE, match_told
from sim.view.tables import table

SCORE_WORDS: Final = {
    "crps": "CRPS", "log": "log score", "interval50": "50% band", "interval90": "90% band",
}  # fmt: skip
COLOURS: Final = {BETTER: "green", WORSE: "bold red", NEITHER: "", TOO_FEW: ""}
BENCHMARK_WORDS: Final = {
    "constant rate": "constant rate (Poisson)",
    "negative binomial": "negative binomial",
    "self-exciting": "self-exciting (Hawkes)",
    "last value": "last value",
}


def reading_lines(counts: Counts) -> list[str]:
    """How the file was read and what was dropped."""
    report = counts.report
    attacks = int(counts.total[-1])
    lines = [f"[bold]{report.format}[/]: {report.rows:,} rows, {report.kept:,} used, {attacks:,} attacks in all"]
    lines += [f"  dropped {number:,}: {reason}" for reason, number in report.dropped.items()]
    return lines + [f"  {escape(one)}" for one in report.remarks]


def forecast_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Attacks of the coming periods: median, bands, and what came where it is known."""
    numbers = {"median": 7, "50%": 9, "90%": 9, "came": 6}
    made = table("Attacks ahead, all theatres", {"from": 11, "to": 11, **numbers}, right=tuple(numbers))
    for one in rows:
        if one["theatre"] == "all":
            came = "" if one["known"] is None else str(one["known"])
            bands = (f"{one[low]:.0f}–{one[high]:.0f}" for low, high in (("q25", "q75"), ("q05", "q95")))
            made.add_row(one["from"], one["to"], f"{one['median']:.0f}", *bands, came)
    return made


def effect_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """What each event that lies ahead adds or takes away."""
    numbers = {"attacks added, mean ± MC error": 20, "nine in ten histories": 22}
    columns = {"event ahead": 24, "kind": 12, "from": 11, "to": 11}
    made = table("Effect of events ahead: the same histories with and without", columns | numbers, right=tuple(numbers))
    for one in rows:
        made.add_row(
            escape(one["event"]),
            one["kind"],
            one["from"],
            one["to"],
            f"{one['mean']:+z.1f} ± {one['error']:.1f}",
            f"{one['q05']:+z.0f} to {one['q95']:+z.0f}",
        )
    return made


def match_lines(found: Prediction) -> list[str]:
    """How well the model tells the user's past."""
    told = match_told(found)
    lines = [
        f"{told['kept']:,} of {told['histories']:,} histories are most like the past in the file"
        f" (worth {told['effective']:.0f} of equal weight)."
    ]
    if told["as_far"] < STRANGE:
        lines.append(
            "[bold red]The model hardly tells such a past[/]: fewer than"
            f" {STRANGE:.0%} of its own histories lie as far from all others. Do not trust the forecast."
        )
    if told["war_left_out"] > 0:
        lines.append(f"Histories with direct war are left out ({told['war_left_out']:.1%}).")
    return lines


def skill_table(found: Sequence[Skill]) -> Table:
    """The model beside each benchmark: how much better by each score, with its interval, and what follows."""
    columns = {"beside": 24, "score": 10, "gain of the model": 18, "90% interval": 20, "verdict": 20}
    made = table("Skill", columns, right=("gain of the model", "90% interval"))
    for one in found:
        digits = ("+.2f", " nats") if one.score == "log" else ("+.0%", "")
        gain, low, high = (format(value, digits[0]) for value in (one.gain, one.low, one.high))
        interval = "none" if one.verdict == TOO_FEW else f"{low} to {high}"
        colour = COLOURS[one.verdict]
        verdict = f"[{colour}]{one.verdict}[/]" if colour else one.verdict
        first = BENCHMARK_WORDS[one.benchmark] if one.score == SCORES[0] else ""
        made.add_row(first, SCORE_WORDS[one.score], f"{gain}{digits[1]}", interval, verdict)
    return made


def score_table(found: Sequence[Summary]) -> Table:
    """Mean scores of all forecasters, and how often their bands held the count."""
    numbers = {**{SCORE_WORDS[key]: 10 for key in SCORES}, **{f"in {level:.0%}": 14 for level in BANDS}}
    title = "Mean scores, the lower the better; counts in bands (and promised)"
    made = table(title, {"forecast": 24, **numbers}, right=tuple(numbers))
    for one in found:
        name = BENCHMARK_WORDS.get(one.forecaster, one.forecaster)
        inside = (f"{one.covered[level]:.0%} ({one.held[level]:.0%})" for level in BANDS)
        bold = ("[bold]", "[/]") if one.forecaster == MODEL else ("", "")
        made.add_row(f"{bold[0]}{name}{bold[1]}", *(f"{one.means[key]:.2f}" for key in SCORES), *inside)
    return made


def verdict_lines(found: Sequence[Skill]) -> list[str]:
    """Plainly, against whom the model wins, loses, and shows no difference by the CRPS."""
    by = {
        verdict: [one.benchmark for one in found if one.score == "crps" and one.verdict == verdict]
        for verdict in VERDICTS
    }
    words = {
        BETTER: "By the CRPS the model is better than: {}.",
        WORSE: "[bold red]By the CRPS the model loses to: {}.[/] Use these instead.",
        NEITHER: "No difference is shown beside: {}. Such a simpler forecast may do as well.",
        TOO_FEW: f"Interval and verdict need at least {FEWEST_UNITS} forecasts; these gains describe the past alone.",
    }
    return [words[verdict].format(", ".join(names)) for verdict, names in by.items() if names]
