"""Tables and sentences of calibrations, of forecasts from a user's counts, and of their skill."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final

from rich.markup import escape

from sim.analysis.calibration.calibration_run import (
    Calibration,
    CountsCalibration,
    SbcResult,
    excluded_words,
    observation_rows,
    sbc_record,
)
from sim.analysis.calibration.cross_checks import MEDIANS, WIDTHS, Agreement, Ahead, DataVariation, Predicted
from sim.analysis.calibration.hypotheses import Needed, PriorSensitivity, Reading, Story
from sim.analysis.calibration.identifiability import IDENTIFIED, NOT, WEAKLY, Quantity
from sim.analysis.calibration.observations import Observation
from sim.analysis.calibration.posterior import stale
from sim.analysis.calibration.sbc import LEVEL, conclusive, fewest_sets
from sim.analysis.forecast.event_counts import Counts
from sim.analysis.forecast.forecasting import ALL, DISCREPANT, Prediction, match_record
from sim.analysis.forecast.scores import (
    BANDS,
    BETTER,
    FEWEST_UNITS,
    MODEL,
    NEITHER,
    RECENT,
    SCORES,
    SKILL_VERDICTS,
    TOO_FEW,
    WORSE,
    Skill,
    Summary,
)
from sim.experiment.formats import short_date
from sim.experiment.parameter_sets import shipped_posterior
from sim.model.scenario import POSTERIOR, Config, keyed_title
from sim.model.timeline import Calendar, long_date
from sim.reporting.table import Column, Row, Table, numeric, value_of, written
from sim.reporting.tables import ASSUMED, VERDICT
from sim.reporting.text import on_calendar, outcome_title, percent, quantity_title, span


def posterior_lines(config: Config) -> list[str]:
    """What to say of the parameters; nothing where they are the declared defaults, or the outlook says it."""
    if config.parameters_from != POSTERIOR:
        return []
    posterior = shipped_posterior(config.scenario.cast)
    figures = len(posterior.about["observations"])
    lines = [
        f"Parameters: each history has one of {posterior.draws:,} draws of the posterior given {figures} observations;"
        " what the scenario or the command line sets stays set. See docs/calibration.md for how little that is."
    ]
    if why := stale(posterior):
        lines.append(f"[bold red]The posterior is stale[/]: {why}. `lull calibrate` renews it.")
    return [*lines, ""]


EXCLUDED: Final = "excluded by definition"
_VERDICT_LOOK: Final = {IDENTIFIED: "bold green", WEAKLY: "", NOT: "dim"}


def figure_table(figures: Sequence[Observation]) -> Table:
    """The observations, their sources, and the likelihood of each."""
    read = Column("reading", "Likelihood", format=lambda one: one.reading.words, number=False)
    return Table("Fitted to", (Column("text", "Observation"), Column("source", "Source"), read), figures)


def quantity_table(quantities: Sequence[Quantity], title: str = "What the observations say") -> Table:
    """Parameters that the data inform: intervals before and after, and the verdict."""
    columns = (
        Column("quantity", "Quantity", format=lambda one: f"{quantity_title(one.quantity)} {one.symbol}", number=False),
        numeric("prior_q05", "Prior 90%", lambda one: span(one.prior_q05, one.prior_q95), "prior_q95"),
        numeric(
            "posterior_q05", "Posterior 90%", lambda one: span(one.posterior_q05, one.posterior_q95), "posterior_q95"
        ),
        Column("posterior_median", "Median", format=".3g"),
        numeric("contraction", "Contraction", lambda one: f"{max(0.0, one.contraction):.0%}"),
        Column("verdict", "Verdict", style=lambda one: _VERDICT_LOOK[one.verdict]),
    )
    return Table(title, columns, [one for one in quantities if one.verdict != NOT])


def not_identified(quantities: Sequence[Quantity], file: str = "parameters.csv") -> str:
    """The parameters that the data do not inform, in a sentence that names the file with their intervals."""
    names = [quantity_title(one.quantity) for one in quantities if one.verdict == NOT]
    if not names:
        return "Every parameter is informed by the observations."
    return (
        f"Not identified, so intervals only, in {file}: {len(names)} of {len(quantities)}. {escape(', '.join(names))}."
    )


def pairs_line(found: Sequence[tuple[str, str, float]], most: int = 4) -> str:
    """The parameters with the strongest posterior correlations."""
    pairs = "; ".join(f"{one} with {other} ({value:+.2f})" for one, other, value in found[:most])
    return f"Strongest posterior correlations: {escape(pairs)}." if pairs else "No two parameters are correlated."


def check_lines(check: SbcResult) -> list[str]:
    """The result of simulation-based calibration (SBC), a line for each region."""
    lines = []
    for region, one in sbc_record(check).items():
        count, left, outside, off = (one[key] for key in ("quantities", "left_out", "outside_the_band", "coverage_off"))
        if not conclusive(check.ranked[region]):
            least = fewest_sets(len(check.ranked[region].names))
            lines.append(
                f"SBC, {region}: too few data sets for a verdict: {one['data_sets']} ({left} skipped, too few posterior"
                f" draws), and the ranks can show a fault from {least} on; more calibration.draws or"
                " calibration.sbc_datasets give more."
            )
            continue
        lines.append(
            f"SBC, {region}: {one['data_sets']} data sets ({left} skipped, too few posterior draws); ranks uniform for"
            f" {count - len(outside)} of {count} quantities, coverage within its error for {count - len(off)}; mean"
            f" coverage {one['coverage_50']:.1%} of 50% intervals, {one['coverage_90']:.1%} of 90% intervals, all at"
            f" level {LEVEL:g}."
        )
        if one["retested"]:
            lines.append(f"  failed at first, tested again with other data sets: {escape(', '.join(one['retested']))}")
        lines += [f"  [bold red]failed both SBC runs:[/] {escape(name)}" for name in dict.fromkeys((*outside, *off))]
    return lines


def agreement_table(found: Sequence[Agreement], draws: int) -> Table:
    """Importance weighting against rejection ABC, for what is identified or weakly so."""
    columns = (
        Column("name", "Quantity"),
        Column("median_shift_sd", "Difference of medians", "posterior SD", "+.2f"),
        Column("width_change", "Difference of widths", format="+.0%"),
        Column("tested", "Tested", format=lambda one: "yes" if one.tested else "no", number=False),
        Column("passed", "Agrees", format=lambda one: "yes" if one.passed else "no", number=False),
    )
    note = f"Tested is what is identified: at most {MEDIANS:g} posterior SD and {WIDTHS:.0%} of the width."
    rows = [one for one in found if one.verdict != NOT]
    return Table(f"Cross-check by rejection ABC, another seed, {draws} draws", columns, rows, note)


def reading_table(readings: Sequence[Reading], widened: Sequence[Reading]) -> Table:
    """Rival explanations: probabilities before and after, the Bayes factor, and the same under wider priors."""
    wide = {one.hypothesis: percent(one.posterior_probability) for one in widened}

    def after(one: Reading) -> str:
        low, high = percent(one.probability_low), percent(one.probability_high)
        return f"{percent(one.posterior_probability)} ({low}–{high})"

    def factor(one: Reading) -> str:
        limits = f"({one.bayes_factor_low:.2f}–{one.bayes_factor_high:.2f})"
        return "1" if one is readings[-1] else f"{one.bayes_factor:.2f} ± {one.bayes_factor_error:.2f} {limits}"

    columns = (
        Column("text", "The calm because"),
        written("prior_probability", "Before", percent),
        numeric("posterior_probability", "After", after, "probability_low", "probability_high"),
        numeric(
            "bayes_factor",
            "Bayes factor ± error",
            factor,
            "bayes_factor_error",
            "bayes_factor_low",
            "bayes_factor_high",
        ),
        written("hypothesis", "Wide priors", lambda name: wide.get(name, "")),
    )
    note = "Bayes factor against all causes together; ± one Monte Carlo error, in brackets 95% for the finite number of"
    note += f" histories.\n{excluded_words(observation_rows(readings))}"
    return Table("Rival explanations, equally probable before", columns, readings, note.rstrip())


def observation_table(readings: Sequence[Reading]) -> Table:
    """Probability of each observation alone under each explanation."""

    def cell(name: str, one: Reading) -> str:
        return alone(one.singles[name].probability, one.singles[name].fixed)

    names = (numeric("singles", name, partial(cell, name)) for name in readings[0].singles)
    return Table("Probability of each observation alone", (Column("text", "The calm because"), *names), readings)


def alone(probability: float | None, fixed: bool) -> str:
    """Probability of an observation alone under an explanation."""
    if fixed or probability is None:
        return EXCLUDED
    return f"{probability:.1%}" if probability >= 1e-3 else f"{probability:.1g}"


def story_table(stories: Sequence[Story | Row], needed: Sequence[Needed | Row]) -> Table:
    """Which causes are sufficient for the calm, and which are necessary, by counterfactual draws, before and after.

    Results or the records of them.
    """
    rows = [{key: value_of(one, key) for key in ("text", "before", "after")} for one in stories]
    rows += [
        {
            "text": f"no calm without: {value_of(one, 'text')}",
            **{key: value_of(one, f"fails_{key}") for key in ("before", "after")},
        }
        for one in needed
    ]
    shares = (written(key, f"{key.capitalize()} the observations", percent) for key in ("before", "after"))
    note = "Counterfactuals: channels removed, common random numbers."
    columns = (Column("text", "Share of the draws that have the calm"), *shares)
    return Table("Sufficient and necessary causes of the calm", columns, rows, note, "enough")


def predicted_table(found: Sequence[Predicted]) -> Table:
    """Every pattern with its predictive probability before and after."""
    columns = (
        *(Column(key, head) for key, head in (("id", ""), ("text", "Pattern"), ("kind", "Kind"))),
        Column("model", "Model after"),
        written("before", "Before", percent),
        written("after", "After", percent),
        VERDICT,
    )
    return Table("Posterior predictive check of patterns: share of histories, or pairs, that show each", columns, found)


def ahead_table(found: Sequence[Ahead], calendar: Calendar) -> Table:
    """Outcomes before and after: median and 90% interval."""
    columns = (
        Column("text", "Outcome", format=_ahead_title, number=False),
        numeric("before", "Before", lambda one: _ahead(one, one.before, calendar)),
        numeric("after", "After", lambda one: _ahead(one, one.after, calendar)),
    )
    note = f"{ASSUMED} prior-dominated: compare with the prior. Of a probability: 90% interval over parameter sets, and"
    return Table("Predicted", columns, found, f"{note} the mean.")


def _ahead_title(one: Ahead) -> str:
    return outcome_title(one.name, one.text) + ASSUMED * one.prior_driven


def _ahead(one: Ahead, values: Sequence[float | None], calendar: Calendar) -> str:
    if one.unit != "probability":
        low, middle, high = (on_calendar(value, one.unit, calendar) for value in values)
        return f"{middle} ({low} to {high})"
    low, middle, high = (percent(value) for value in values)
    return f"mean {middle}" if values[0] is None else f"{low} to {high} (mean {middle})"


def method_line(done: Calibration) -> str:
    """How many histories and draws the posterior is based on."""
    posterior = done.posterior
    return (
        f"{posterior.bank.size:,} histories from the prior; {len(posterior.rows):,} agree with the observations,"
        f" ESS {posterior.effective:,.0f} (Pareto k {done.pareto:.2f}); {done.kept.draws:,} kept."
    )


def stretch_table(rows: Sequence[Mapping[str, Any]], words: str) -> Table:
    """Attacks of each stretch of a file, and those that runs report, before the counts and after."""

    def reported(when: str) -> Column:
        low, high = f"{when}_q05", f"{when}_q95"
        return numeric(low, f"Runs {when}, 90%", lambda row: span(row[low], row[high], ".0f"), high)

    columns = (
        Column("from", "From"), Column("to", "To"), Column("attacks", "In the file", format="d"), reported("before"),
        reported("after"),
    )  # fmt: skip
    return Table("Dated counts of attacks", columns, rows, f"Likelihood of each: {words}.")


def counts_line(done: CountsCalibration) -> str:
    """How many draws the posterior is based on, before the dated counts and after, and how probable the counts are."""
    return (
        f"{done.before.bank.size:,} histories from the prior. ESS before the counts {done.before.effective:,.0f}, after"
        f" {done.after.effective:,.0f} (Pareto k {done.pareto:.2f}). Of the files that the model simulates,"
        f" {done.typical:.0%} are at most as probable as this one."
    )


def varied_table(found: Sequence[DataVariation], quantities: Sequence[Quantity], most: int = 3) -> Table:
    """Intervals of the most contracted quantities without each observation, or with another likelihood."""

    def cell(name: str, one: DataVariation) -> str:
        low, high = one.intervals[name]
        return span(low, high)

    names = [one.quantity for one in quantities if one.verdict != NOT][:most]
    intervals = (numeric("intervals", quantity_title(name), partial(cell, name)) for name in names)
    columns = (Column("change", "Observations"), Column("effective", "ESS", format=",.0f"), *intervals)
    return Table("Sensitivity to the data: 90% intervals", columns, found)


def prior_sensitivity_table(found: Sequence[PriorSensitivity], readings: Sequence[Reading], most: int = 8) -> Table:
    """Sensitivity to single priors, each narrowed to one half; single causes are summed up."""
    single = [place for place, one in enumerate(readings) if len(one.channels) == 1]
    others = [place for place in range(len(readings)) if place not in single]
    likely = sorted(others, key=lambda place: -readings[place].posterior_probability)[:3]
    groups = {"single causes": single}
    groups |= {readings[place].hypothesis.replace("+", " + "): [place] for place in sorted(likely)}

    def cell(places: list[int], one: PriorSensitivity) -> str:
        return percent(sum(one.shares[place] for place in places))

    columns = (
        Column("key", "Prior", format=lambda one: f"{one.key}, {one.prior}", keys=("key", "prior"), number=False),
        *(numeric("shares", name, partial(cell, places)) for name, places in groups.items()),
    )
    return Table("Sensitivity of posterior model probabilities to single priors", columns, found[:most])


SCORE_WORDS: Final = {"crps": "CRPS", "log": "log score", "interval50": "50% band", "interval90": "90% band"}
COLOURS: Final = {BETTER: "green", WORSE: "bold red", NEITHER: "", TOO_FEW: ""}
BENCHMARK_WORDS: Final = {
    "constant rate": "constant rate (Poisson)",
    "negative binomial": "negative binomial",
    "self-exciting": "self-exciting (Hawkes)",
    "last value": "last value",
    "two rates": "two rates (Poisson)",
    "smoothing": "exponential smoothing",
    "recent weeks": f"last {RECENT} weeks",
}
FORECASTER_WORDS: Final = {MODEL: "Lull model", **BENCHMARK_WORDS}
COMPARED_TITLE: Final = "Forecast of the model, for comparison with simpler ones"


def reading_lines(counts: Counts) -> list[str]:
    """How the file was read and what was dropped."""
    report = counts.report
    attacks = int(counts.total[-1])
    lines = [f"[bold]{report.format}[/]: {report.rows:,} rows, {report.kept:,} used, {attacks:,} attacks in all"]
    lines += [f"  dropped {number:,}: {reason}" for reason, number in report.dropped.items()]
    return lines + [f"  {escape(one)}" for one in report.remarks]


def forecast_line(rows: Sequence[Mapping[str, Any]], matched: int) -> str:
    """The first coming period in one sentence."""
    one = next(row for row in rows if row["theatre"] == ALL)
    first, last = (long_date(date.fromisoformat(one[end])) for end in ("from", "to"))
    return (
        f"In the Lull model, the {matched:,} histories most like the record have a median of {one['median']:.0f}"
        f" acknowledged attacks from {first} to {last} (90% of histories {one['q05']:.0f} to {one['q95']:.0f};"
        " without direct war): a forecast of the model, for comparison with simpler ones."
    )


def forecast_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Attacks of the coming periods: median, bands, and the count where it is known."""
    columns = (
        Column("from", "From"),
        Column("to", "To"),
        Column("median", "Median", format=".0f"),
        numeric("q25", "50%", lambda row: f"{row['q25']:.0f}–{row['q75']:.0f}", "q75"),
        numeric("q05", "90%", lambda row: f"{row['q05']:.0f}–{row['q95']:.0f}", "q95"),
        Column("known", "Observed", format="d"),
    )
    return Table("Forecast of attacks, all theatres", columns, [row for row in rows if row["theatre"] == ALL])


SHOWN_PERIODS: Final = 4
"""Periods for which the terminal compares the model with simpler forecasts; the file has all."""


def compared_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The model and simpler forecasts of the first periods: median, and 90% interval."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(row["forecaster"], []).append(row)
    periods = by_name[MODEL]

    def cell(place: int, name: str) -> str:
        one = by_name[name][place]
        return f"{one['median']:.0f} ({one['q05']:.0f}–{one['q95']:.0f})"

    def week(place: int) -> Column:
        first, last = (date.fromisoformat(periods[place][end]) for end in ("from", "to"))
        return numeric(
            "forecaster", f"{short_date(first)} to {short_date(last)}", lambda row: cell(place, row["forecaster"])
        )

    names = [{"forecaster": name} for name in by_name]
    columns = (
        Column("forecaster", "Forecast", format=lambda row: FORECASTER_WORDS[row["forecaster"]], number=False),
        *map(week, range(min(SHOWN_PERIODS, len(periods)))),
    )
    note = "Median, 90% interval; all use the same counts. `lull forecast FILE score=true` compares them on the past."
    if len(periods) > SHOWN_PERIODS:
        note += f" Further periods, up to {periods[-1]['to']}, are in compared.csv."
    return Table(COMPARED_TITLE, columns, names, note)


def effect_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """How many attacks each coming event adds or removes."""
    columns = (
        *(
            Column(key, head)
            for key, head in (("event", "Coming event"), ("kind", "Kind"), ("from", "From"), ("to", "To"))
        ),
        numeric(
            "mean", "Attacks added, mean ± MC error", lambda row: f"{row['mean']:+z.1f} ± {row['error']:.1f}", "error"
        ),
        numeric("q05", "90% of histories", lambda row: span(row["q05"], row["q95"], "+z.0f"), "q95"),
    )
    return Table("Effect of coming events: the same histories with and without", columns, rows)


def match_lines(found: Prediction) -> list[str]:
    """How well the model reproduces the user's record."""
    match = match_record(found)
    lines = [
        f"{match['kept']:,} of {match['histories']:,} histories are most like the record in the file"
        f" (ESS {match['effective']:.0f})."
    ]
    lines += [f"  {escape(one)}" for one in match["details"]]
    if match["as_far"] < DISCREPANT:
        lines.append(
            "[bold red]The model hardly produces such a record[/]: fewer than"
            f" {DISCREPANT:.0%} of its own histories lie as far from all others. Do not trust the forecast."
        )
    if match["war_left_out"] > 0:
        lines.append(f"Histories with direct war are left out ({match['war_left_out']:.1%}).")
    return lines


def skill_table(found: Sequence[Skill]) -> Table:
    """The skill score of the model against each benchmark, with its interval and verdict."""

    def gain(one: Skill) -> str:
        return f"{one.gain:+.2f} nats" if one.score == "log" else f"{one.gain:+.0%}"

    def interval(one: Skill) -> str:
        return "none" if one.verdict == TOO_FEW else span(one.low, one.high, "+.2f" if one.score == "log" else "+.0%")

    columns = (
        Column("benchmark", "Baseline", format=lambda one: BENCHMARK_WORDS[one.benchmark], number=False),
        Column("score", "Score", format=lambda one: SCORE_WORDS[one.score], number=False),
        numeric("gain", "Skill score", gain),
        numeric("low", "90% interval", interval, "high"),
        Column("verdict", "Verdict", style=lambda one: COLOURS[one.verdict]),
    )
    return Table("Skill", columns, found, grouped=True)


def score_table(found: Sequence[Summary]) -> Table:
    """Mean scores of all forecasters, and the coverage of their intervals."""

    def bold(one: Summary) -> str:
        return "bold" if one.forecaster == MODEL else ""

    def mean(key: str) -> Column:
        return numeric("means", SCORE_WORDS[key], lambda one: f"{one.means[key]:.2f}")

    def coverage(level: float) -> Column:
        return numeric(
            "covered", f"In {level:.0%}", lambda one: f"{one.covered[level]:.0%} ({one.held[level]:.0%})", "held"
        )

    name = Column(
        "forecaster", "Forecast", number=False, style=bold,
        format=lambda one: FORECASTER_WORDS[one.forecaster],
    )  # fmt: skip
    title = "Mean scores, the lower the better; coverage of intervals (and nominal)"
    return Table(title, (name, *map(mean, SCORES), *map(coverage, BANDS)), found)


def verdict_lines(found: Sequence[Skill]) -> list[str]:
    """The benchmarks that the model beats, loses to, or equals by the CRPS."""
    by = {
        verdict: [one.benchmark for one in found if one.score == "crps" and one.verdict == verdict]
        for verdict in SKILL_VERDICTS
    }
    words = {
        BETTER: "By the CRPS the model is better than: {}.",
        WORSE: "[bold red]By the CRPS the model loses to: {}.[/] Use these instead.",
        NEITHER: "No difference is shown to: {}. Such a simpler forecast may do as well.",
        TOO_FEW: f"Interval and verdict need at least {FEWEST_UNITS} forecasts; these scores describe the past alone.",
    }
    return [words[verdict].format(", ".join(names)) for verdict, names in by.items() if names]


def case_lines(record: Mapping[str, Any]) -> list[str]:
    """What predictions of another case are conditioned on, and how well the refit of the level went."""
    level = record["level"]
    observed = "; ".join(f"{one['text']}: {one['likelihood']}" for one in record["observations"])
    return [
        f"[bold]{escape(record['question'])}[/]",
        "The posterior of the shipped case is carried over; only the level is refitted, a factor on all baseline"
        f" rates: {level['median']:.2g} (90% {span(level['q05'], level['q95'])}; prior {level['prior']}).\n",
        f"scenario {escape(keyed_title(record['scenario']))}, seed {record['seed']}, {record['histories']:,}"
        f" histories with {record['posterior_draws']:,} posterior draws; ESS {record['effective_sample_size']:,.0f}"
        f" histories, {record['effective_draws']:,.0f} draws\n",
        escape(f"Observed: {observed}. Probability of that {record['probability_of_observations']:.2g}.\n"),
    ]


def prediction_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Predictions of another case: median and intervals of a number, probability of an event."""

    def ends(low: str, high: str) -> Callable[[Row], str]:
        def cell(row: Row) -> str:
            if row["probability"] is not None or row[low] is None:
                return "" if row["probability"] is not None else "beyond the end"
            return f"{row[low]:.0f} to {'beyond the end' if row[high] is None else format(row[high], '.0f')}"

        return cell

    def middle(row: Row) -> str:
        if row["probability"] is not None:
            return f"{percent(row['probability'])} ± {percent(row['error'])}"
        return "beyond the end" if row["median"] is None else f"{row['median']:.0f}"

    columns = (
        Column("text", "Quantity"),
        numeric("median", "Median or probability", middle, "probability", "error"),
        numeric("q25", "50%", ends("q25", "q75"), "q75"),
        numeric("q05", "90%", ends("q05", "q95"), "q95"),
        numeric("none", "No attack", lambda row: "" if row["none"] is None else percent(row["none"])),
        written("war", "War", percent),
    )
    note = (
        "Given no direct war by the last day of each quantity; War is the share of histories that this leaves out."
        " ± is the Monte Carlo error of a probability."
    )
    return Table("Predictions", columns, rows, note)


def finding_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """What a case lacks, assumes and has from the shipped case."""
    columns = (Column("kind", "What"), Column("key", "Key"), Column("text", "Value or file"))
    return Table("Before you trust this case", columns, rows, grouped=True)
