"""What a report says: its options composed and checked, the simulations that it needs, and their results in rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import xarray as xr

from sim.analysis.attribution import Attribution, Explaining, dataset_of
from sim.analysis.attribution import prepared as prepared_explaining
from sim.analysis.calibration.identifiability import NOT
from sim.analysis.calibration.posterior import stale
from sim.analysis.comparison.arms import ComparedArm, listed
from sim.analysis.comparison.paired import NO_WAR
from sim.analysis.comparison.paired_comparison import COMMON_DAY, OWN_DAY, Comparison
from sim.analysis.comparison.paired_comparison import prepared as prepared_comparison
from sim.analysis.durations import Outlook, expected
from sim.analysis.early_warning import Warned, Watch
from sim.analysis.early_warning import prepared as prepared_watch
from sim.analysis.early_warning import simulate as simulate_watch
from sim.analysis.pattern_tests import Balance, Verdict, described, judge, prior_balance
from sim.analysis.requested import PRIOR, known_outcome
from sim.analysis.summary import PRIOR_DRIVEN
from sim.experiment.command import Request
from sim.experiment.dataset import outcomes_of
from sim.experiment.ensemble import simulate_config
from sim.experiment.options import SIZES, CompareOptions, ExplainOptions, ReportOptions, WatchOptions
from sim.experiment.parameter_sets import DEFAULTS as DECLARED
from sim.experiment.parameter_sets import drawn_of, free_declarations, quantile, shipped_posterior
from sim.experiment.runner import CostEstimate, Progress
from sim.experiment.sweep.axes import flattened
from sim.model.cast import Cast
from sim.model.conditions import Condition
from sim.model.parameters import shared_declarations
from sim.model.scenario import CONDITIONED, DEFAULTS, POSTERIOR, Config, asking, parameter_rows
from sim.model.validation import UserError

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class ParameterEvidence:
    """What a calibration found, or why there is nothing to report: `why` is empty where there is.

    `draws` of its posterior are drawn from, `histories` made it.
    """

    why: str = ""
    draws: int = 0
    histories: int = 0
    results: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, name: str) -> Rows:
        """One table of the results; empty where there is none."""
        return list(self.results.get(name, ()))

    @property
    def lost(self) -> list[str]:
        """Quantities that are not identified."""
        return [one["quantity"] for one in self.rows("quantities") if one["verdict"] == NOT]

    @property
    def check(self) -> Mapping[str, Any]:
        """Simulation-based calibration, by region."""
        found: Mapping[str, Any] = self.results.get("sbc", {})
        return found


def evidence_of(cast: Cast) -> ParameterEvidence:
    """What the posterior that comes with the package says of a case: as `lull calibrate` left it there."""
    try:
        shipped = shipped_posterior(cast)
    except UserError:
        return ParameterEvidence(why="no posterior of this case comes with this installation")
    if why := stale(shipped):
        return ParameterEvidence(why=f"the posterior that comes with this installation is stale: {why}")
    about = shipped.about
    if "results" not in about:
        return ParameterEvidence(why="the posterior that comes with this installation says nothing of how it was found")
    return ParameterEvidence("", shipped.draws, int(about["bank"]), about["results"])


# --- what can be chosen, apart from what cannot be known ----------------------------------------------------

NOT_CHANGES: Final = (
    "scenario",
    "seed",
    "study",
    "engine",
    "output",
    "patterns",
    "calibration",
    "filters",
    "predictions",
)
LEVEL: Final = 0.05
"""Chance that noise alone makes any parameter of a scenario count."""
LEAST_DRAWS: Final = 20
_WORDS: Final[dict[Any, str]] = {None: "none", True: "on", False: "off"}


def levers(arms: Sequence[ComparedArm]) -> Rows:
    """What every scenario has otherwise than the baseline, which is the first: a row for each key or event."""
    first, *others = (
        flattened({key: value for key, value in arm.config.tree.items() if key not in NOT_CHANGES}) for arm in arms
    )
    names = ("scenario", "key", "kind", "baseline", "here", "text")
    found: list[tuple[str, ...]] = []
    for arm, here in zip(arms[1:], others, strict=True):
        changed = [key for key in dict.fromkeys((*first, *here)) if first.get(key) != here.get(key)]
        found += [(arm.label, key, _kind(key), _value(first, key), _value(here, key), _text(key)) for key in changed]
    return [dict(zip(names, row, strict=True)) for row in found]


def _value(tree: Mapping[str, Any], key: str) -> str:
    if key not in tree:
        return "(not there)"
    value = tree[key]
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(key: str) -> str:
    top = key.partition(".")[0]
    if top == "mechanisms":
        return "mechanism"
    if top in ("events", "history", "interventions"):
        return "event"
    return "number" if key in shared_declarations() else "setting"


def _text(key: str) -> str:
    declared = shared_declarations().get(key)
    return "" if declared is None else declared.text


def hanging(data: xr.Dataset, measure: str, every: bool = False) -> Rows:
    """How the difference of a scenario goes with each drawn parameter, over the draws: the strongest first.

    `rank` is Spearman's rank correlation; beyond `limit` it is more than noise gives (`counts`). Where war cuts the
    measure, that of pairs without war, unless `every` pair is to count. Nothing where there are too few draws. What a
    scenario keeps at its own value is left out of its lines.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    parameters = [str(one) for one in data["parameter"].values]
    cut = bool(data["censored_by_war"].sel(measure=measure)) and not every
    differences = data[f"{NO_WAR if cut else ''}difference_of_draw"].sel(measure=measure)
    kept = dict(zip(data["scenario"].values, data["kept"].values, strict=True))
    found: Rows = []
    for name in data["comparison"].values:
        difference = differences.sel(comparison=name).values
        known = np.isfinite(difference)
        if known.sum() < LEAST_DRAWS:
            continue
        limit = float(-ndtri(LEVEL / 2 / len(parameters)) / np.sqrt(known.sum() - 1))
        values, drawn = rankdata(difference[known]), rankdata(data["parameter_value"].values[:, known], axis=1)
        for place, key in enumerate(parameters):
            if key not in str(kept[name]).split():
                rank = _correlation(drawn[place], values)
                about = {"scenario": str(name), "key": key, "text": _text(key)}
                found.append({**about, "rank": rank, "limit": limit, "counts": abs(rank) > limit})
    return sorted(found, key=lambda one: -abs(one["rank"]))


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation; 0 where one of the two does not vary."""
    return 0.0 if 0.0 in (one.std(), other.std()) else float(np.corrcoef(one, other)[0, 1])


# --- results ------------------------------------------------------------------------------------------------

HISTORIES: Final = 2000
"""Histories that show the baseline against its source, or as many as an arm of the comparison has, if fewer."""
WATCHED: Final = 5000
"""Histories from which it is learnt what to watch, or as many as an arm of the comparison has, if fewer."""


@dataclass(frozen=True)
class ReportResults:
    """What a report is written from. `baseline` are histories of the baseline, `verdicts` its patterns.

    `hanging` are the uncertainties of the outcome that is explained, `doubts` those of the first condition asked.
    `outlook` is how the observed winter goes on, None where the baseline is of another; `no_outlook` may say why.
    `warned` is by event what precedes it; `no_warning` says why nothing is known of that.
    """

    asked: "Asked"
    comparison: xr.Dataset
    attribution: Attribution
    shares: xr.Dataset
    levers: Rows
    hanging: Rows
    doubts: Rows
    balance: tuple[Balance, ...]
    numbers: Rows
    baseline: xr.Dataset
    verdicts: tuple[Verdict, ...]
    outlook: Outlook | None
    no_outlook: str
    warned: Mapping[str, Warned]
    no_warning: str


def simulate(asked: "Asked", progress: Progress | None = None) -> ReportResults:
    """Simulate all that is asked and sum it up."""
    comparison = asked.comparison.simulate(progress)
    attribution = asked.explaining.simulate(progress)
    plan = asked.comparison.plan
    config = replace(asked.config, runs=min(HISTORIES, plan.draws * plan.runs))
    source = asked.comparison.source
    drawn = DECLARED if source == PRIOR else drawn_of(replace(config, parameters_from=source))
    baseline = simulate_config(config, drawn=drawn)
    outlook, no_outlook = expected(config)
    warned, no_warning = learnt(asked.watch, progress)
    return ReportResults(
        asked=asked,
        comparison=comparison,
        attribution=attribution,
        shares=dataset_of(asked.explaining, attribution),
        levers=levers(asked.comparison.plan.arms),
        hanging=hanging(comparison, asked.outcome),
        doubts=hanging(comparison, asked.conditions[0].text, every=True),
        balance=prior_balance(config) if described(config) else (),
        numbers=numbers(asked),
        baseline=baseline,
        verdicts=judge(config, baseline, replace(drawn, past=None)) if config.patterns else (),
        outlook=outlook,
        no_outlook=no_outlook,
        warned=warned,
        no_warning=no_warning,
    )


def learnt(watch: Watch | UserError, progress: Progress | None = None) -> tuple[Mapping[str, Warned], str]:
    """What precedes direct war and the end of the lull; nothing, and why, where it cannot be learnt."""
    try:
        if isinstance(watch, UserError):
            raise watch
        return simulate_watch(watch, progress), ""
    except UserError as mistake:
        return {}, NOT_LEARNT.get(mistake.key, str(mistake))


NOT_LEARNT: Final = {
    "watch": 'the extra for it is not installed: pip install "lull-sim[watch]"',
    "watch.weeks": "the calendar ends too soon after the report",
    "study.runs": "too few of the simulated histories have war, or a lull that ends",
}
"""Why nothing is learnt of what to watch, by the key that would have to be another."""


def numbers(asked: "Asked") -> Rows:
    """Every declared number, where it comes from, and `how` the report uses it.

    What has a prior gets the interval that holds 90% of it and no value, whatever the configuration happens to hold.
    """
    arm, source = asked.comparison.plan.arms[0], asked.comparison.source
    free = free_declarations()
    found = []
    for row in parameter_rows(arm.scenario):
        value: float | None = row.value
        low, high, how = None, None, "held at this value"
        if row.key in free:
            value, (low, high) = None, (float(one) for one in quantile(free[row.key], np.array([0.05, 0.95])))
            how = "held at its declared default, not estimated"
            if row.key in arm.kept:
                how = "set by the baseline, not estimated"
            elif row.key in asked.comparison.plan.points:
                how = f"drawn from the {source}"
        ends = {"value": value, "prior_q05": low, "prior_q95": high}
        about = {"key": row.key, "text": row.text, "class": row.provenance, "source": row.source, "unit": row.unit}
        found.append({**about, **ends, "how": how})
    return found


RUNS, DRAWS = SIZES["report"]
"""Draws of the comparison and histories of each draw and arm, where nothing else is set."""
LULL_DAYS: Final = "lull_days"
LONG_LULL: Final = 90
"""Days of a lull that is asked about where nothing is asked."""
LONGEST: Final = 300
"""Signs of a question: it is a heading."""


@dataclass(frozen=True)
class Asked:
    """What is to be simulated for a report: scenarios compared, the baseline explained."""

    settings: ReportOptions
    comparison: Comparison
    explaining: Explaining
    evidence: ParameterEvidence
    watch: Watch | UserError

    @property
    def config(self) -> Config:
        """The configuration of the baseline."""
        return self.comparison.config

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions that are asked of every scenario."""
        return self.config.scenario.asked

    @property
    def outcome(self) -> str:
        """The outcome that is explained."""
        return str(self.settings.outcome)

    def prior_driven(self, measure: str) -> bool:
        """Whether assumed numbers alone decide an outcome, or that of a condition."""
        return {one.text: one.outcome for one in self.conditions}.get(measure, measure) in PRIOR_DRIVEN

    def forecast(self) -> CostEstimate:
        """What it costs, by a trial."""
        watch = CostEstimate() if isinstance(self.watch, UserError) else self.watch.forecast()
        return self.comparison.forecast() + self.explaining.forecast() + watch


def prepare(request: Request) -> Asked:
    """Read and check a report."""
    options, rest = request.options(ReportOptions)
    compared, rest = rest.options(CompareOptions)
    return prepared(options, compared, rest)


def prepared(options: ReportOptions, compared: CompareOptions, request: Request) -> Asked:
    """The report that the options name, on the configuration that the overrides make."""
    if compared.departures == OWN_DAY:
        raise UserError("compare.departures", OWN_DAY, f"{COMMON_DAY}: a report has one baseline for all pairs")
    comparison = prepared_comparison(compared, request, (DRAWS, RUNS))
    own = [one.text for one in comparison.config.scenario.asked] or [LULL_DAYS]
    outcome = own[0] if options.outcome is None else options.outcome
    options = replace(options, outcome=outcome, question=_question(options.question))
    comparison = _asking(comparison)
    single = comparison.source == DEFAULTS
    known_outcome(outcome, outcomes_of(comparison.config.scenario), "report.outcome")
    explaining = _explained(options, compared, request, single)
    return Asked(options, comparison, explaining, evidence_of(comparison.config.scenario.cast), _watch(comparison))


def _watch(comparison: Comparison) -> Watch | UserError:
    """What to watch in the baseline as `lull watch` learns it, from few histories; why not, where it cannot be."""
    plan = comparison.plan
    config = replace(comparison.config, runs=min(WATCHED, plan.draws * plan.runs))
    source = DEFAULTS if comparison.source in (PRIOR, DEFAULTS) else None
    try:
        return prepared_watch(config, source, WatchOptions.weeks, WatchOptions.false_alarms, None)
    except UserError as mistake:
        return mistake


def _asking(comparison: Comparison) -> Comparison:
    """The comparison with what is asked where the user asks nothing: war before the calendar ends, and a long lull."""
    plan, scenario = comparison.plan, comparison.config.scenario
    if scenario.asked:
        return comparison
    calendar = scenario.calendar
    texts = [f"war by {calendar.date_of(calendar.days - 1)}"]
    texts.append(f"{LULL_DAYS} >= {min(LONG_LULL, calendar.days - calendar.strikes)}")
    asked = asking(scenario, texts, "study.outcomes")[0].asked
    arms = (replace(one, config=replace(one.config, scenario=replace(one.scenario, asked=asked))) for one in plan.arms)
    return replace(comparison, plan=replace(plan, arms=tuple(arms)))


def _question(text: str | None) -> str | None:
    words = None if text is None else " ".join(text.split())
    if words is not None and (not words or len(words) > LONGEST or not words.isprintable()):
        raise UserError("report.question", text, f"a question of 1 to {LONGEST} signs")
    return words


def _explained(options: ReportOptions, compared: CompareOptions, request: Request, single: bool) -> Explaining:
    """The attribution of the outcome in the baseline; `single`: at the declared values."""
    entry = listed(compared.scenarios[0])
    draws, runs = options.share_draws, options.share_runs
    texts = [one for one in request.overrides if not one.startswith("study.")]
    texts += [f"scenario={entry.scenario}", *entry.changes]
    texts += [f"study.draws={1 if single else draws}", f"study.runs={draws * runs if single else runs}"]
    try:
        source = POSTERIOR if compared.parameters == CONDITIONED else compared.parameters
        asked = ExplainOptions(str(options.outcome), options.mechanisms, source)
        return prepared_explaining(asked, replace(request, overrides=tuple(texts)))
    except UserError as mistake:
        named = {"mechanisms": "report.mechanisms", "study.runs": "report.share_runs"}
        raise UserError(named.get(mistake.key, mistake.key), mistake.value, mistake.allowed) from None
