"""The numbers of the page as HTML: outcomes, a pair, patterns, downloads and how to reproduce what is shown."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, Final

from sim.analysis.comparison.paired import Effect
from sim.analysis.durations import Outlook
from sim.analysis.pattern_tests import Verdict, at_once
from sim.analysis.summary import Statistic
from sim.app.form_settings import ASKED, FREE, HISTORY, WORDS, BaseConfig, ExploreState, ScenarioSettings
from sim.app.frame import pieces
from sim.app.workers import EnsembleResult, ExploreView
from sim.experiment.command import Request
from sim.experiment.formats import named
from sim.experiment.parameter_sets import shipped_posterior
from sim.experiment.statistics import finite
from sim.model.cast import Cast
from sim.model.scenario import INTERVENTIONS, Config, Scenario
from sim.model.timeline import Calendar
from sim.model.validation import UserError
from sim.reporting.figures.briefing import no_week
from sim.reporting.tables import ASSUMED, band, days_words, outlook_lines, sets_words
from sim.reporting.text import amount, capital, minus, on_calendar, outcome_title, percent, short_percent

FIRST: Final = (
    "acknowledged_campaign", "acknowledged_lull", "lull_days", "resumption_day", "war", "deaths", "injured",
    "directive_day", "release_day", "limited_responses",
)  # fmt: skip
"""Outcomes that are shown at once; the others unfold."""

UNITS: Final = {"probability": "share of histories at this parameter set, ± Monte Carlo error", "day": "date", "1": ""}
"""Units that are printed in other words."""

VERDICTS: Final = {True: ("holds", "✓ holds"), False: ("fails", "✗ fails"), None: ("open", "– not judged")}

ASSUMPTION: Final = f"{ASSUMED} decided by assumed numbers, not by data."
ONE_SET: Final = "The table is of histories at these settings, one parameter set among many."
PAIR_COLUMNS: Final = ("A", "B", "B less A", "more", "less")

FILES: Final = {
    "scenario.yaml": "scenario, for lull run",
    "config.yaml": "whole configuration",
    "outcomes.csv": "outcomes",
    "weekly.csv": "attacks a week",
    "patterns.csv": "patterns",
    "histories.nc": "every history (netCDF)",
    "figure.svg": "figure (SVG)",
    "figure.png": "figure (PNG)",
}
PAIR_FILES: Final = {"scenario_b.yaml": "scenario B", "differences.csv": "differences of B to A"}


def _piece(name: str, *values: object) -> str:
    return pieces("explore/outcomes.html.j2", name, *values)


def _dates(calendar: Calendar) -> tuple[str, str]:
    """The days of the strikes and of the report, without the year."""
    strikes, report = (f"{day.day} {day:%b}" for day in map(calendar.date_of, (calendar.strikes, calendar.report)))
    return strikes, report


def key_figures(view: ExploreView) -> str:
    """The few numbers that one looks at while changing a setting: of A, and of B where there is one."""
    stats = [{one.name: one for one in ensemble.stats} for ensemble in (view.a, view.b) if ensemble is not None]
    calendar = view.a.config.scenario.calendar
    strikes, report = _dates(calendar)
    labels = {
        "acknowledged_campaign": f"acknowledged attacks before {strikes}",
        "acknowledged_lull": f"from then to {report}",
        "lull_days": f"days until attacks resume{ASSUMED}",
        "deaths": "soldiers killed",
        "war": f"direct war, at these settings{ASSUMED}",
    }
    if view.outlook is not None and view.b is None:  # one answer to one question: the same as elsewhere
        del labels["lull_days"], labels["war"]
    cells = {
        label: [(side, *_middle(by_name[name], calendar)) for side, by_name in zip("AB", stats, strict=False)]
        for name, label in labels.items()
    }
    if view.outlook is not None and view.b is None:
        cells |= outlook_cells(view.outlook)
    return _piece("key_figures", cells, len(stats) > 1)


def outlook_cells(one: Outlook) -> dict[str, list[tuple[str, str, str]]]:
    """The length of the lull and the probability of war, given the observations: with intervals over parameter sets."""
    lull, war, report = one.lull, one.war, f"{one.report.day} {one.report:%b}"
    ends = f"{days_words(lull.low, one)} to {days_words(lull.high, one)} over parameter sets"
    given = f"given the observations up to {report}{ASSUMED}"
    return {
        f"days until attacks resume, {given}": [("A", days_words(lull.median, one), ends)],
        f"direct war, {given}": [("A", percent(war.mean), f"{sets_words(war)} over parameter sets")],
    }


def _middle(one: Statistic, calendar: Calendar) -> tuple[str, str]:
    """The median of an outcome and its 90% interval; for a probability, its mean and Monte Carlo error."""
    if one.unit == "probability":
        return percent(one.mean or 0.0), f"± {percent(one.mcse)}" if one.mcse else ""
    return on_calendar(one.median, one.unit, calendar), band(one.q05, one.q95, one, calendar)


def outcomes(ensemble: EnsembleResult, side: str = "", outlook: Outlook | None = None) -> str:
    """Median and 90% interval of every outcome, important ones first; `side` names the scenario if there are two.

    Above them stands how the observed winter goes on, or else the probability of war over parameter sets.
    """
    scenario, by_name = ensemble.config.scenario, {one.name: one for one in ensemble.stats}
    shown = (*(one.text for one in scenario.asked), *FIRST)
    first = [_outcome_row(by_name[name], scenario) for name in shown]
    rest = [_outcome_row(one, scenario) for name, one in by_name.items() if name not in shown]
    war = war_over_sets(scenario.cast) if outlook is None else " ".join((*outlook_lines(outlook), ONE_SET))
    return _piece("outcomes", side, f"{ensemble.config.runs:,}", war, ASSUMPTION, first, rest)


def _outcome_row(one: Statistic, scenario: Scenario) -> tuple[Any, ...]:
    title = named(outcome_title(one.name, one.text), scenario.cast)
    notes = (
        UNITS.get(one.unit, one.unit),
        f"never in {percent(one.never)}" if one.never else "",
        f"censored by war or the end in {percent(one.censored)}" if one.censored else "",
    )
    mark = ASSUMED if one.prior_driven else ""
    return (one, title + mark, "; ".join(filter(None, notes)), *_middle(one, scenario.calendar))


def war_over_sets(cast: Cast) -> str:
    """The probability of direct war over parameter sets, as found for the documented history of a case.

    Empty where no posterior of the case comes with the package.
    """
    try:
        results = shipped_posterior(cast).about.get("results", {})
    except UserError:
        return ""
    for one in results.get("posterior_predictive", ()):
        if one["name"] == "war" and None not in (*one["before"], *one["after"]):
            prior, posterior = (f"{percent(low)} to {percent(high)}" for low, _, high in (one["before"], one["after"]))
            return (
                f"Direct war under documented history: {posterior} over parameter sets drawn from the posterior,"
                f" {prior} over those of the priors (90% intervals). The settings here are one of many parameter sets."
            )
    return ""


def differences(view: ExploreView) -> str:
    """The paired differences of B to A; empty where there is no B."""
    if view.b is None:
        return ""
    names = [one.config.scenario.title for one in (view.a, view.b)]
    rows = []
    for row in view.rows:
        measure, unit = row.measure, row.measure.unit
        title = {"war": "direct war"}.get(measure.name, measure.text)
        small = "" if unit in ("1", "probability") or unit in title else unit
        rows.append((measure.name, capital(title), small, row.comparable, *_cells(row.comparable, unit)))
        if measure.censored:
            name, small = f"{measure.name}_until_war", "all pairs, until war"
            rows.append((name, "", small, row.effect, *_cells(row.effect, unit)))
    return _piece("differences", *names, view.pinned, percent(view.rows[0].no_war.share), PAIR_COLUMNS, rows)


def _cells(effect: Effect, unit: str) -> tuple[list[str], str]:
    """The cells of a pair, and the interval of the difference."""
    cells = [
        *(amount(finite(one), unit) for one in (effect.baseline_value, effect.scenario_value)),
        minus(amount(finite(effect.difference), unit, sign=True)),
        *(short_percent(one) if isfinite(one) else "" for one in (effect.more, effect.less)),
    ]
    if not isfinite(effect.low):
        return cells, ""
    low, high = (amount(one, unit, sign=True).removesuffix(" pts") for one in (effect.low, effect.high))
    return cells, f"{minus(low)} to {minus(high)}"


def patterns(config: Config, verdicts: Sequence[Verdict], side: str = "") -> str:
    """Every pattern: what the article says, the model's value, and whether that lies within the tolerance.

    `side` names the scenario where there are two.
    """
    if not config.patterns:
        return ""
    known = {one.id: one for one in verdicts}
    rows = []
    for one in config.patterns:
        model, kind, words = "" if at_once(one) else "…", "waiting", "…"
        if (verdict := known.get(one.id)) is not None:
            model, (kind, words) = verdict.model, VERDICTS[verdict.holds]
        rows.append((one, named(one.text, config.scenario.cast), model, kind, words))
    waiting = len(config.patterns) - len(verdicts)
    line = f"{sum(bool(one.holds) for one in verdicts)} of {len(verdicts)} hold"
    line += f"; {waiting} are being computed" if waiting else ""
    if verdicts and all(one.holds is None for one in verdicts):
        line = "The patterns describe the documented history, so they are measured here and not judged"
    return _piece("patterns", side, waiting, line, rows)


def legend(config: Config, pair: bool) -> str:
    """What the lines and colours of the chart mean."""
    strikes, report = _dates(config.scenario.calendar)
    names = config.scenario.cast.names
    signs = {
        "line": "median of attacks a week" + (", A" if pair else ""),
        "half": "50% of histories",
        "most": "90% of histories",
        "other": "B: median, dashed 90%" if pair else "",
        "article": "counted, says the article" if config.patterns else "",
        "order": f"{names.patron} orders restraint (median)",
        "lull": f"{strikes}: strikes of {names.target}, to the report of {report}",
        "later": "later: assumptions decide",
    }
    return _piece("legend", signs, ASSUMPTION, no_week(config.scenario))


def commands(base: BaseConfig, state: ExploreState) -> tuple[str, ...]:
    """The command lines that give the same numbers."""
    seed = () if state.seed == 1 else (f"seed={state.seed}",)
    common = (*base.overrides, f"study.runs={base.runs}", *seed)
    run = Request("run", (*state.a.overrides(), *common), base.config_dir).command
    if state.b is None:
        return (run,)
    entries = ",".join(_compare_entry(one) for one in (state.a, state.b))
    overrides = (f"scenarios=[{entries}]", "parameters=defaults", *state.a.listed(ASKED), *common)
    return (run, Request("compare", overrides, base.config_dir).command)


def _compare_entry(settings: ScenarioSettings) -> str:
    _, *changes = replace(settings, words=()).overrides()
    return ";".join((settings.scenario, *changes, *settings.listed(INTERVENTIONS)))


def python(base: BaseConfig, state: ExploreState) -> str:
    """The lines of Python that give the same numbers of A."""
    values: dict[str, Any] = {}
    for override in base.overrides:
        key, _, values[key] = override.partition("=")
    values |= ({HISTORY: FREE} if state.a.free else {}) | dict(state.a.values)
    values |= {WORDS[key]: list(words) for key, words in state.a.words}
    given = [repr(state.a.scenario), f"runs={base.runs}", *([] if state.seed == 1 else [f"seed={state.seed}"])]
    given += [f"overrides={values!r}"] if values else []
    given += [] if base.config_dir is None else [f"config_dir={str(base.config_dir)!r}"]
    return f"from sim import simulate\n\ndata = simulate({', '.join(given)})"


def downloads(base: BaseConfig, state: ExploreState) -> str:
    """The link to what is shown, its files, and the commands that reproduce it."""
    query = f"?{one}" if (one := state.query(base)) else ""
    files = FILES | (PAIR_FILES if state.b is not None else {})
    return _piece("downloads", query, files, "\n".join(commands(base, state)), python(base, state))
