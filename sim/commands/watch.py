"""`lull watch`: what precedes direct war and the end of the lull, as a regression, a rule, and figures of merit."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, Unpack

import pandas as pd
from rich.console import RenderableType
from rich.markup import escape

from sim.analysis import early_warning as analysis
from sim.analysis.early_warning import EVENTS, LULL, Warned, Watch
from sim.analysis.forecast.forecasting import own_counts
from sim.commands.calls.result import Job, Result, call, carry_out, request_of
from sim.experiment.command import Request, Study, study_call
from sim.experiment.formats import full_date
from sim.experiment.options import WatchOptions
from sim.experiment.result_dir import provenance
from sim.experiment.runner import Progress
from sim.experiment.statistics import finite
from sim.model.scenario import titled
from sim.reporting.calibration_tables import reading_lines
from sim.reporting.figures import drawn
from sim.reporting.report_contents import rule_line, unlearnt_line
from sim.reporting.table import Column, Table, numeric
from sim.reporting.terminal import simulating
from sim.reporting.text import capital, minus, percent, span
from sim.rules.outcomes import RESUMED_ATTACKS, RESUMED_DAYS

Row = dict[str, Any]
CANNOT_TELL: Final = (
    "This is the model's world: which observables precede these events in simulated histories. It does not say that"
    " they cause them, nor how often the world itself brings them. An order of the patron, which no observer knows, is"
    " not used."
)
INSTRUMENTS: Final = {"model": "Regression", "rule": "Rule"}


def main(request: Request) -> None:
    """Carry out the verb."""
    carry_out(lambda: job(request, *request.options(WatchOptions)))


@study_call
def watch(
    scenario: str | None = None,
    *,
    weeks: int = WatchOptions.weeks,
    false_alarms: float = WatchOptions.false_alarms,
    data: Path | str | None = None,
    runs: int | None = None,
    parameters: str | None = None,
    **study: Unpack[Study],
) -> Result[dict[str, Warned]]:
    """Find which observables precede direct war and the end of the lull, in the model's world.

    Args:
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        weeks: weeks ahead within which the event comes.
        false_alarms: false alarms a year that an alarm may give, on the histories that it is learnt from.
        data: a file of events, whose last day is judged; only attacks are then watched (docs/watch.md).
        runs: histories; None: the configured number.
        parameters: `defaults`, `posterior` or `conditioned`; None takes `conditioned` where the documented history is
            pinned up to the report, else the posterior, or the declared values of a case without one.
        **study: as in every call.

    Returns:
        Tables `terms`, `rules`, `scores`, `roc`, `reliability` and, with a file, `today`; `data`: reliability over
        (event, bin); `found`: by event what was learnt, with `model.probability` and `rule.alarm`.

    Raises:
        UserError: something asked for cannot be used, the events are too rare to learn from, or statsmodels is missing.
    """
    options = WatchOptions(weeks, false_alarms, None if data is None else Path(data), parameters)
    given = {"scenario": scenario, "study.runs": runs}
    request, rest = request_of("watch", study, given, options)
    return call(job(request, options, rest), study)


def job(request: Request, options: WatchOptions, rest: Request) -> Job[dict[str, Warned]]:
    """The early warning as a study."""
    config = rest.config()
    counts = None if options.data is None else own_counts(config, options.data)
    asked = analysis.prepared(config, options.parameters, options.weeks, options.false_alarms, counts)

    def compute(advance: Progress | None) -> Result[dict[str, Warned]]:
        found = analysis.simulate(asked, advance)
        lines = {event: rule_line(one, asked) for event, one in found.items()}
        rows = rows_of(asked, found)
        merged = pd.DataFrame(rows["reliability"]).set_index(["event", "bin"]).to_xarray()
        about: Row = {
            "scenario": config.scenario.name, "seed": config.seed, "parameters": asked.config.parameters_from,
            "histories": config.runs, "weeks": options.weeks, "false_alarms": options.false_alarms,
            "file": None if options.data is None else options.data.name,
        }  # fmt: skip
        return Result(
            request, asked.config, merged.assign_attrs(provenance(asked.config)), found,
            rows=rows,
            content=about | {name: rows[name] for name in ("terms", "rules", "scores", "today") if name in rows},
            figures={"warning": drawn("warning_figures", "warning", found, lines, asked)},
            text=lambda: text(asked, found, rows, about["file"]),
            files="warning.png, summary.json, and the tables behind them",
        )  # fmt: skip

    label = f"{options.weeks}weeks"
    return Job(request, asked.config, compute, lambda folder: simulating(folder, asked.config, asked.forecast), label)


def rows_of(asked: Watch, found: dict[str, Warned]) -> dict[str, list[Row]]:
    """The tables of the folder."""
    titles = asked.titles
    terms: list[Row] = []
    rules: list[Row] = []
    scores: list[Row] = []
    for event, one in found.items():
        nothing = {"step": None, **flat("odds_ratio", analysis.Number(*[float("nan")] * 3))}
        terms.append({"event": event, "observable": "", "title": "intercept", "weight": one.model.intercept, **nothing})
        terms += [
            {"event": event, "observable": term.name, "title": titles[term.name], "weight": term.weight,
             "step": "doubling" if term.doubling else "one more", **flat("odds_ratio", term.odds_ratio)}
            for term in one.model.terms
        ]  # fmt: skip
        rules += [
            {"event": event, "observable": part.name, "title": titles[part.name], "threshold": part.threshold,
             "alarm_if": "at least" if part.least else "below"}
            for part in (one.rule.conditions if one.rule is not None else ())
        ]  # fmt: skip
        scores += [{"event": event, "alarm": name, **score_row(score)} for name, score in one.scores.items()]
    rows = {
        "terms": terms,
        "rules": rules,
        "scores": scores,
        "roc": [
            {"event": event, "false_positive_rate": float(wrong), "true_positive_rate": float(right)}
            for event, one in found.items()
            for wrong, right in zip(*one.curve, strict=True)
        ],
        "reliability": [
            {"event": event, "bin": place, **row} for event, one in found.items() for place, row in enumerate(one.rows)
        ],
    }
    today = list(analysis.today(asked, found))
    return {name: made for name, made in (rows | {"today": today}).items() if made}


def score_row(score: analysis.Score) -> Row:
    """A score with each interval in three columns; None where a number does not exist."""
    parts = (flat(one.name, getattr(score, one.name)) for one in fields(score))
    return {name: number for part in parts for name, number in part.items()}


def flat(name: str, value: analysis.Number | float) -> Row:
    """A number, and its interval in two more columns."""
    if isinstance(value, float):
        return {name: finite(value)}
    return {name: finite(value.value), f"{name}_low": finite(value.low), f"{name}_high": finite(value.high)}


# --- words --------------------------------------------------------------------------------------------------


def text(
    asked: Watch, found: dict[str, Warned], rows: dict[str, list[Row]], file: str | None
) -> Iterator[RenderableType]:
    """What was learnt, how good it is, and what a file shows."""
    weeks = asked.horizon // 7
    yield (
        f"[bold]What precedes {' and '.join(EVENTS[event] for event in found)} within {weeks} weeks[/], in the model's"
        f" world: {escape(titled(asked.scenario.name))}, {asked.config.runs:,} histories, seed {asked.config.seed},"
        f" parameters: {asked.config.parameters_from}"
    )
    yield from map(unlearnt_line, EVENTS.keys() - found.keys())
    if LULL in found:
        yield f"The lull ends with attack number {RESUMED_ATTACKS} within {RESUMED_DAYS} days, seen on that day."
    yield ""
    for one in found.values():
        yield f"- {escape(rule_line(one, asked))}"
    yield from ("", score_table(rows["scores"], asked), "", term_table(rows["terms"], found), "")
    if asked.counts is not None:
        yield from (*reading_lines(asked.counts), *map(escape, today_lines(rows["today"], asked, file)), "")
    yield CANNOT_TELL


def with_interval(row: Row, name: str, pattern: str) -> str:
    """A number and its interval; a dash where there is none."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return "–" if value is None or low is None else f"{value:{pattern}} ({span(low, high, pattern)})"


def score_table(rows: list[Row], asked: Watch) -> Table:
    """How regression and rule do on the histories that they were not learnt from."""
    columns = (
        Column("event", "Event", format=lambda row: capital(EVENTS[row["event"]]), number=False),
        Column("alarm", "Alarm by", format=lambda row: INSTRUMENTS[row["alarm"]], number=False),
        numeric("auc", "AUC", lambda row: with_interval(row, "auc", ".2f"), "auc_low", "auc_high"),
        numeric("odds_ratio", "Odds times", lambda row: with_interval(row, "odds_ratio", ".3g"),
                "odds_ratio_low", "odds_ratio_high"),
        numeric("share", "Weeks in alarm", lambda row: percent(row["share"])),
        numeric("precision", "Event follows", lambda row: percent(row["precision"])),
        numeric("caught", "Events caught", lambda row: percent(row["caught"])),
        numeric("lead", "Lead", lambda row: "–" if row["lead"] is None else f"{row['lead']:.0f} days"),
        numeric("false_alarms", "False alarms a year", lambda row: f"{row['false_alarms']:.1f}"),
    )  # fmt: skip
    note = (
        "On the half of the parameter sets that it was not learnt from; in brackets 90% intervals. Caught: an alarm"
        f" came within the {asked.horizon // 7} weeks before; lead: days from the first of these, median. Where it was"
        f" learnt, an alarm may give at most {asked.accepted:g} false alarms a year."
    )
    return Table("How good the warning is", columns, rows, note, "scores", grouped=True)


def term_table(rows: list[Row], found: dict[str, Warned]) -> Table:
    """The terms of both regressions."""
    columns = (
        Column("event", "Event", format=lambda row: capital(EVENTS[row["event"]]), number=False),
        Column("title", "Observable"),
        Column("step", "Step", format=lambda row: row["step"] or "–"),
        numeric("odds_ratio", "Odds times, each step", lambda row: with_interval(row, "odds_ratio", ".2f"),
                "odds_ratio_low", "odds_ratio_high"),
        numeric("weight", "Log odds", lambda row: minus(f"{row['weight']:+.2f}")),
    )  # fmt: skip
    off = ", ".join(f"{EVENTS[event]} {100 * one.off:.1f}" for event, one in found.items())
    note = (
        "A doubling is one of 1 + the observable: 0 to 1, 1 to 3, 3 to 7. On the other half of the sets, in bins of"
        f" about a tenth of the days, probabilities are off by at most so many points: {off}."
    )
    return Table("The regression", columns, rows, note, "terms", grouped=True)


def today_lines(rows: list[Row], asked: Watch, file: str | None) -> Iterator[str]:
    """What the last day of a file shows, and what follows from it."""
    day = f"{full_date(pd.Timestamp(rows[0]['date']).date())}, last day of {file}:"
    yield f"{day} " + "; ".join(f"{one.title} {rows[0][one.key]:.0f}" for one in asked.observables) + "."
    for row in rows:
        if row["probability"] is None:
            why = (
                "is over, by the file's own attacks" if row["lull"] == "over" else "has not begun: strikes are to come"
            )
            yield f"{day} the lull {why}."
            continue
        alarms = {"model": row["alarm_of_model"], "rule": row["alarm_of_rule"]}
        said = (
            f"; the {INSTRUMENTS[name].lower()} gives {'alarm' if given else 'no alarm'}"
            for name, given in alarms.items()
            if given is not None
        )
        early = " That day is before those that it was learnt from." if row["before_report"] else ""
        yield (
            f"{day} in the model's world {EVENTS[row['event']]} follows within {asked.horizon // 7} weeks with a"
            f" probability of {percent(row['probability'])}{''.join(said)}.{early}"
        )
