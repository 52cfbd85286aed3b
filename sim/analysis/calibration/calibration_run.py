"""`calibrate`: the whole calibration, from settings to tables, summary and ArviZ file."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from sim.analysis.calibration.cross_checks import (
    MEDIANS,
    WIDTHS,
    Agreement,
    Ahead,
    DataVariation,
    Predicted,
    agreements,
    predicted,
    prior_draws,
    rejected,
    varied,
)
from sim.analysis.calibration.hypotheses import (
    GIVEN,
    LEFT_OUT,
    Needed,
    PriorSensitivity,
    Reading,
    Story,
    counterfactuals,
    needed,
    prior_sensitivity,
    readings_of,
    stories,
    weigh,
)
from sim.analysis.calibration.identifiability import (
    CONTRACTED,
    ENTANGLED,
    MOVED,
    RECOVERED,
    VERDICTS,
    Quantity,
    pairs,
    quantities_of,
)
from sim.analysis.calibration.observations import CalibrationSettings, DatedCounts
from sim.analysis.calibration.posterior import (
    CHUNK,
    LEAST_EFFECTIVE,
    CountedRuns,
    Posterior,
    PriorSampler,
    ReferenceTable,
    accepted,
    counted_runs,
    fill,
    posterior_of,
    with_products,
)
from sim.analysis.calibration.sbc import (
    DRAWS,
    GIVEN_OBSERVATIONS,
    LEVEL,
    REGIONS,
    Control,
    Ranked,
    SbcCheck,
    check,
    confirmed,
    noticed,
    rank,
    rank_counts,
)
from sim.analysis.forecast.event_counts import Counts
from sim.analysis.forecast.forecasting import DISCREPANT, iso, known_periods
from sim.analysis.pattern_tests import Balance, calm_of, described, prior_balance
from sim.experiment.options import CalibrateOptions
from sim.experiment.parameter_sets import ParameterSets, Shipped
from sim.experiment.result_dir import versions
from sim.experiment.runner import CostEstimate, Experiment, Progress
from sim.experiment.statistics import INTERVAL_90, Array, arviz, finite, midpoint_quantile, pareto_k
from sim.experiment.sweep.configs import deciding_hash
from sim.model.scenario import Config
from sim.model.timeline import Calendar
from sim.model.validation import UserError

Row = dict[str, Any]

PURPOSE: Final = b"planted truths".decode()
"""Part of the seed of the check: another text would change every rank."""
RARE_DATA: Final = "rare data"
"""Data sets anywhere for which the table has too few draws to rank a truth among 99."""
PLANTS_FOR_EACH: Final = 120
"""Simulated histories for each data set to be checked: few of them look like the documented one."""
LEAST_REJECTED: Final = 100
"""Fewer draws than this of the second method are not worth comparing."""
ENDS: Final = ((0, "q05"), (1, "q95"))
_BEFORE: Final = 20_000
"""Draws of the prior that are looked through for the calm."""


@dataclass(frozen=True)
class SbcResult:
    """Simulation-based calibration: ranks and judgements by region."""

    ranked: Mapping[str, Ranked]
    checked: Mapping[str, tuple[SbcCheck, ...]]


@dataclass(frozen=True)
class Rivals:
    """Rival readings: their odds, under the declared and under wider priors, what depends on priors, stories by draw.

    Empty where there are no channels, no patterns of the calm, or too few draws for any to agree with the figures.
    """

    readings: tuple[Reading, ...] = ()
    widened: tuple[Reading, ...] = ()
    prior_sensitivity: tuple[PriorSensitivity, ...] = ()
    needed: tuple[Needed, ...] = ()
    stories: tuple[Story, ...] = ()
    balance: tuple[Balance, ...] = ()


@dataclass(frozen=True)
class Calibration:
    """Everything that a calibration gives. `kept` are unweighted draws: rows of the bank and values by key."""

    config: Config
    settings: CalibrationSettings
    posterior: Posterior
    pareto: float
    sbc: SbcResult
    quantities: tuple[Quantity, ...]
    agreements: tuple[Agreement, ...]
    again: int
    varied: tuple[DataVariation, ...]
    rivals: Rivals
    predicted: tuple[Predicted, ...]
    ahead: tuple[Ahead, ...]
    kept: Shipped


def calibrated(
    config: Config, settings: CalibrationSettings, overrides: Sequence[str] = (), progress: Progress | None = None
) -> Calibration:
    """The same for a configuration that was already composed."""
    bank = fill(prior_of(config, settings), settings.figures, settings.draws, config.threads, progress)
    posterior = posterior_of(bank)
    sbc = run_sbc(config, settings, bank, progress=progress)
    quantities = quantities_of(posterior, sbc.checked)
    compared, again = by_rejection(config, settings, posterior, quantities, progress)
    kept = keep(config, settings, posterior, overrides)
    drawn = ParameterSets(kept.columns)
    patterns, ahead = predicted(config, settings.figures, prior_draws(bank), drawn, settings.predictive_runs)
    return Calibration(
        config=config,
        settings=settings,
        posterior=posterior,
        pareto=pareto_k(posterior.weights),
        sbc=sbc,
        quantities=quantities,
        agreements=compared,
        again=again,
        varied=varied(bank, quantities),
        rivals=weighed(config, settings, bank, kept.rows, progress),
        predicted=patterns,
        ahead=ahead,
        kept=kept,
    )


def prior_of(config: Config, settings: CalibrationSettings, purpose: str = "") -> PriorSampler:
    """The prior of a configuration; each purpose has a seed of its own, the bank the configured one."""
    return PriorSampler(config.scenario, settings.keys, config.seed if not purpose else seed_for(config.seed, purpose))


def seed_for(seed: int, purpose: str) -> int:
    """A seed for one purpose that shares nothing with the others."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {purpose}".encode(), digest_size=8).digest())


def run_sbc(
    config: Config,
    settings: CalibrationSettings,
    bank: ReferenceTable,
    control: Control = "",
    progress: Progress | None = None,
    purpose: str = PURPOSE,
    rare: bool = False,
) -> SbcResult:
    """Simulate data sets with known truths and rank these among draws of their posteriors, in every region.

    What something speaks against is looked at once more, with other truths; the second look is what counts. Controls
    get one look. Where asked for, data sets that are too `rare` in the first region are one more region.
    """

    def ranks(purpose: str, progress: Progress | None) -> dict[str, Ranked]:
        prior, sets = prior_of(config, settings, purpose), settings.sbc_datasets
        plants = fill(prior, settings.figures, plants_of(settings), config.threads, progress)
        found = {
            region: rank(bank, plants, region, sets, np.random.default_rng([prior.seed, place]), control)
            for place, region in enumerate(REGIONS)
        }
        if rare:
            generator = np.random.default_rng([prior.seed, len(REGIONS)])
            found[RARE_DATA] = rank(bank, plants, next(iter(REGIONS)), sets, generator, control, rare=True)
        return found

    ranked = ranks(purpose, progress)
    checked = {region: check(one) for region, one in ranked.items()}
    if not control and not all(one.calibrated for region in checked.values() for one in region):
        second = ranks(f"{purpose}, again", None)
        checked = {region: confirmed(found, check(second[region])) for region, found in checked.items()}
    return SbcResult(ranked, checked)


def by_rejection(
    config: Config,
    settings: CalibrationSettings,
    posterior: Posterior,
    quantities: Sequence[Quantity],
    progress: Progress | None,
) -> tuple[tuple[Agreement, ...], int]:
    """The second method against the first, and how many draws it left; nothing where it is switched off."""
    if not settings.rejection_draws:
        return (), 0
    prior = prior_of(config, settings, "rejection")
    bank = fill(prior, settings.figures, settings.rejection_draws, config.threads, progress)
    rows = rejected(bank, prior.seed)
    found = agreements(posterior, bank, rows, quantities) if len(rows) >= LEAST_REJECTED else ()
    return found, len(rows)


def weighed(
    config: Config, settings: CalibrationSettings, bank: ReferenceTable, rows: Array, progress: Progress | None = None
) -> Rivals:
    """Rival readings weighed, and the kept draws simulated again without each of their channels."""
    channels, calm, threads = settings.channels, calm_of(config.patterns), config.threads
    if not channels or not settings.hypothesis_draws or calm is None:
        return Rivals()
    draws, forms = settings.hypothesis_draws, settings.forms
    declared = weigh(bank, channels, draws, threads, progress, forms=forms)
    wide = frozenset(settings.wide_priors) & frozenset(settings.keys)
    wider = weigh(bank, channels, draws // 2, threads, progress, wide, forms) if wide else None
    if not (readings := readings_of(declared)):
        return Rivals()
    before = counterfactuals(bank.prior, np.arange(min(bank.size, _BEFORE)), channels, calm, threads, progress)
    after = counterfactuals(bank.prior, rows, channels, calm, threads, progress)
    return Rivals(
        readings=readings,
        widened=readings_of(wider) if wider is not None else (),
        prior_sensitivity=prior_sensitivity(declared),
        needed=needed(before, after, channels),
        stories=stories(before, after, channels),
        balance=prior_balance(config) if described(config) else (),
    )


def keep(config: Config, settings: CalibrationSettings, posterior: Posterior, overrides: Sequence[str]) -> Shipped:
    """Unweighted draws of the posterior, at most as many as are to be kept, with where they come from."""
    generator = np.random.default_rng(seed_for(config.seed, "kept"))
    places = generator.permutation(accepted(posterior.weights, generator))[: settings.kept]
    rows = posterior.rows[places]
    about = {
        "scenario": config.scenario.name,
        "overrides": [one for one in overrides if one.partition("=")[0].partition(".")[0] not in ("output", "engine")],
        "seed": str(config.seed),
        "bank": posterior.bank.size,
        "effective": round(posterior.effective, 1),
        "pareto_k": finite(round(pareto_k(posterior.weights), 2)),
        "draws": len(rows),
        "observations": {
            one.id: {"text": one.text, "source": one.source, "likelihood": one.reading.words}
            for one in settings.figures
        },
        "wings": list(config.scenario.cast.wings),
        "deciding_hash": deciding_hash(),
        "versions": versions(),
    }
    return Shipped(
        columns={key: one[places] for key, one in posterior.values().items()},
        numbers={one.id: posterior.bank.numbers[one.id][rows] for one in settings.figures},
        rows=rows,
        about=about,
    )


# --- dated counts -------------------------------------------------------------------------------------------

MOST_K: Final = 0.7
"""Pareto k above which importance weights cannot be trusted (Vehtari et al. 2024)."""


@dataclass(frozen=True)
class CountsCalibration:
    """The posterior given the observations (`before`), and given a file's dated counts as well (`after`).

    `sbc` has simulation-based calibration of both, `quantities` and `quantities_after` the verdicts. `pareto` is the
    shape of the weights after, `typical` the share of simulated files that are at most as probable as this one.
    """

    config: Config
    runs: CountedRuns
    before: Posterior
    after: Posterior
    pareto: float
    typical: float
    sbc: SbcResult
    quantities: tuple[Quantity, ...]
    quantities_after: tuple[Quantity, ...]

    @property
    def refusal(self) -> str:
        """Why no conclusion may be drawn from the counts; empty where one may."""
        if self.after.effective < LEAST_EFFECTIVE or self.pareto > MOST_K:
            return (
                f"they leave an ESS of {self.after.effective:.0f} and a Pareto k of {self.pareto:.2f}; needed are at"
                f" least {LEAST_EFFECTIVE:.0f} and at most {MOST_K:g}. Ask for more calibration.draws or a longer"
                " calibrate.stretch, or leave observations out."
            )
        if self.typical < DISCREPANT:
            return (
                f"the model hardly produces such counts: of the files that it simulates, {self.typical:.1%} are as"
                " improbable as this one."
            )
        return ""


def dated_counts(counts: Counts, options: CalibrateOptions) -> DatedCounts:
    """Counts of a file in stretches of about `stretch` days, as far as days are known; the last may be half as long.

    Raises:
        UserError: the file is shorter than one stretch.
    """
    first, last = int(counts.ends[0]), int(counts.ends[-1])
    edges = known_periods(counts, first, last, options.stretch)
    if len(edges) < 2:
        raise UserError("data", f"{last - first} days", f"at least one stretch: {options.stretch} days of counts")
    if 2 * (last - edges[-1]) >= options.stretch:
        edges.append(last)
    edges[-1] = last
    ends = np.array(edges)
    return DatedCounts(counts.theatres, ends, counts.between(ends), options.lag, options.dispersion)


def calibrated_with_counts(
    config: Config, settings: CalibrationSettings, dated: DatedCounts, progress: Progress | None = None
) -> CountsCalibration:
    """The posterior given the observations, then given dated counts as well, with the verdicts of both.

    The runs of the rows that agree with the observations are simulated again, as long as the counts last, and each
    row's weight is multiplied by the likelihood of the counts given its run. Recovery after is what simulation-based
    calibration of the counts gives, or that of before where it is higher: further data do not worsen it.

    Raises:
        UserError: the observations leave too few draws, or direct war ends every run before the counts do.
    """
    bank = fill(prior_of(config, settings), settings.figures, settings.draws, config.threads, progress)
    before = posterior_of(bank)
    sbc = run_sbc(config, settings, bank, progress=progress)
    runs = counted_runs(before, dated, config.threads, progress)
    weights, probability = runs.given()
    after = replace(runs.posterior, weights=weights, evidence=before.evidence * float(np.exp(probability)))
    ranked, checked, simulated = sbc_of_counts(runs, settings.sbc_datasets, seed_for(config.seed, "dated counts"))
    recovery = {one.name: one.recovery_rank_corr for one in sbc.checked[next(iter(REGIONS))]}
    best = tuple(
        replace(one, recovery_rank_corr=np.fmax(one.recovery_rank_corr, recovery.get(one.name, np.nan)))
        for one in checked
    )
    return CountsCalibration(
        config=config,
        runs=runs,
        before=before,
        after=after,
        pareto=pareto_k(weights),
        typical=float((simulated <= probability).mean()),
        sbc=SbcResult({**sbc.ranked, GIVEN_OBSERVATIONS: ranked}, {**sbc.checked, GIVEN_OBSERVATIONS: checked}),
        quantities=quantities_of(before, sbc.checked),
        quantities_after=quantities_of(after, {GIVEN_OBSERVATIONS: best}),
    )


def sbc_of_counts(
    runs: CountedRuns, sets: int, seed: int, control: Control = ""
) -> tuple[Ranked, tuple[SbcCheck, ...], Array]:
    """Ranks and judgements of truths among posteriors given dated counts, and the log probability of each data set.

    As everywhere, what fails is looked at once more with other data sets; controls get one look.
    """
    ranked, evidence = rank_counts(runs, sets, np.random.default_rng([seed, 0]), control)
    checked = check(ranked)
    if not control and not all(one.calibrated for one in checked):
        again, _ = rank_counts(runs, sets, np.random.default_rng([seed, 1]))
        checked = confirmed(checked, check(again))
    return ranked, checked, evidence


def stretch_rows(done: CountsCalibration, calendar: Calendar) -> list[Row]:
    """One row per stretch: its days, the attacks of the file, and 90% of the attacks that runs report, before, after.

    What runs report is without the scatter of the observation model.
    """
    dated, reported = done.runs.dated, done.runs.reported
    rows = []
    for place, (start, end) in enumerate(zip(dated.edges, dated.edges[1:], strict=False)):
        row = {**iso(calendar, int(start) + 1, int(end)), "attacks": int(dated.observed[place])}
        for when, posterior in (("before", done.runs.posterior), ("after", done.after)):
            ends = midpoint_quantile(reported[:, place], posterior.weights, INTERVAL_90)
            row |= {f"{when}_{name}": round(float(ends[at]), 3) for at, name in ENDS}
        rows.append(row)
    return rows


def counts_summary(done: CountsCalibration) -> Row:
    """The content of `summary.json` of a calibration with dated counts."""
    dated, refusal = done.runs.dated, done.refusal
    return {
        "scenario": done.config.scenario.name,
        "seed": done.config.seed,
        "bank": done.before.bank.size,
        "likelihood": dated.words,
        "effective_before": round(done.before.effective, 1),
        "effective": round(done.after.effective, 1),
        "pareto_k": finite(done.pareto),
        "probability_of_as_improbable_counts": done.typical,
        "conclusion": refusal or "drawn",
        "verdicts_before": by_verdict(done.quantities),
        "verdicts": None if refusal else by_verdict(done.quantities_after),
        "sbc": sbc_record(done.sbc),
    }


def by_verdict(quantities: Sequence[Quantity]) -> dict[str, list[str]]:
    """Names of quantities by verdict."""
    return {verdict: [one.quantity for one in quantities if one.verdict == verdict] for verdict in VERDICTS}


# --- what it costs ------------------------------------------------------------------------------------------


def plants_of(settings: CalibrationSettings) -> int:
    """Histories whose parameters are the known truths."""
    return max(settings.sbc_datasets * PLANTS_FOR_EACH, 2000)


def forecast(config: Config, settings: CalibrationSettings, number: int) -> CostEstimate:
    """What so many histories of a calibration cost, by a trial."""
    prior = prior_of(config, settings)
    sets = prior.design(prior.values(np.arange(CHUNK)))
    experiment = Experiment((prior.arm,), prior.seed, sets=sets, threads=config.threads)
    kept = 2 * np.dtype(np.float32).itemsize * (len(settings.figures) + 1) * settings.draws
    return experiment.forecast(CHUNK, kept, number)


def histories(settings: CalibrationSettings) -> int:
    """Histories that a calibration simulates, but for a second check and for predictions."""
    if not settings.channels or not settings.hypothesis_draws:
        return settings.draws + plants_of(settings) + settings.rejection_draws
    sets = 2 ** len(settings.channels)
    weighed = settings.hypothesis_draws + (settings.hypothesis_draws // 2 if settings.wide_priors else 0)
    again = min(settings.draws, _BEFORE) + settings.kept
    readings = sets * (weighed * max(1, len(settings.forms)) + again)
    return settings.draws + plants_of(settings) + settings.rejection_draws + readings


# --- tables and summary -------------------------------------------------------------------------------------


def tables(done: Calibration) -> dict[str, list[Row]]:
    """Every table by the name of its file; what is not identified has intervals and no median."""
    rivals = done.rivals
    return {
        "parameters": records(done.quantities),
        "observations": [
            {
                "observation": one.id, "text": one.text, "source": one.source, "likelihood": one.reading.words,
                "pattern": one.pattern,
            }
            for one in done.settings.figures
        ],
        "sbc": check_rows(done.sbc),
        "rejection_check": [{**asdict(one), "tested": one.tested, "pass": one.passed} for one in done.agreements],
        "hypotheses": records(rivals.readings, "channels", "singles"),
        "observations_by_hypothesis": observation_rows(rivals.readings),
        "hypotheses_wide_priors": records(rivals.widened, "channels", "singles"),
        "prior_sensitivity": [
            {"parameter": one.key, "prior": one.prior}
            | {reading.hypothesis: finite(share) for reading, share in zip(rivals.readings, one.shares, strict=True)}
            for one in rivals.prior_sensitivity
        ],
        "necessity": records(rivals.needed),
        "causal_patterns": records(rivals.stories),
        "patterns": records(done.predicted),
        "posterior_predictive": [
            {"outcome": one.name, "text": one.text, "unit": one.unit, "prior_driven": one.prior_driven}
            | _interval_record("prior", one.before, one.unit)
            | _interval_record("posterior", one.after, one.unit)
            for one in done.ahead
        ],
        "data_sensitivity": [
            {"change": one.change, "effective": one.effective, "evidence": one.evidence}
            | {f"{name} {end}": ends[place] for name, ends in one.intervals.items() for place, end in ENDS}
            for one in done.varied
        ],
        "correlations": [
            {"one": one, "other": other, "correlation": value} for one, other, value in pairs(done.posterior)
        ],
    }  # fmt: skip


def records(found: Iterable[Any], *left: str) -> list[Row]:
    """Results as rows: their fields are the columns, but for those `left` out; a number that is not finite is None."""
    return [
        {
            key: finite(value) if isinstance(value, float) else value
            for key, value in asdict(one).items()
            if key not in left
        }
        for one in found
    ]


def check_rows(sbc: SbcResult) -> list[Row]:
    """Every quantity in every region: ranks inside the band, coverages, recovery."""
    return [{"region": region, **asdict(one)} for region, checked in sbc.checked.items() for one in checked]


def observation_rows(readings: Sequence[Reading]) -> list[Row]:
    """Probability of each observation alone under each reading, none where it is excluded by definition."""
    return [
        {
            "hypothesis": one.hypothesis,
            "text": one.text,
            "observation": name,
            "probability": None if single.fixed else single.probability,
            "excluded_by_definition": single.fixed,
            "in_comparison": single.part,
        }
        for one in readings
        for name, single in one.singles.items()
    ]


def excluded_words(rows: Sequence[Row]) -> str:
    """Which observations are no evidence in the comparison of readings, and why; nothing where all are."""
    left, given = (
        ", ".join(dict.fromkeys(one["observation"] for one in rows if one["in_comparison"] == part))
        for part in (LEFT_OUT, GIVEN)
    )
    words = f"Left out of the evidence of every reading: {left}, excluded by definition under some." if left else ""
    if given:
        words += f" Not weighed: {given}, certain by definition under some; readings are compared given it."
    return words.strip()


def _interval_record(when: str, values: Sequence[float | None], unit: str) -> Row:
    """Quantiles of an outcome; of a probability its mean, and quantiles over the parameter sets."""
    low, middle, high = values
    median, share = (None, middle) if unit == "probability" else (middle, None)
    return {f"{when}_q05": low, f"{when}_median": median, f"{when}_q95": high, f"{when}_share": share}


def sbc_record(sbc: SbcResult) -> Row:
    """Simulation-based calibration, region by region."""

    def mean(values: Sequence[float]) -> float | None:
        return sum(values) / len(values) if values else None

    return {
        region: {
            "data_sets": sbc.ranked[region].sets,
            "left_out": sbc.ranked[region].left_out,
            "draws_ranked_among": DRAWS,
            "quantities": len(checked),
            "outside_the_band": [one.name for one in checked if not one.uniform],
            "coverage_off": [one.name for one in checked if not one.coverage_ok],
            "retested": [one.name for one in checked if one.retested],
            "coverage_50": mean([one.coverage_50 for one in checked]),
            "coverage_90": mean([one.coverage_90 for one in checked]),
        }
        for region, checked in sbc.checked.items()
    }


def calibrates(sbc: SbcResult) -> bool:
    """Whether nothing speaks against the method in any region."""
    return all(one.calibrated for checked in sbc.checked.values() for one in checked) and any(sbc.checked.values())


def notices(sbc: SbcResult, prior: SbcResult) -> bool:
    """Whether a check distinguishes the `prior` in place of posteriors from them, in every region.

    Only in the first, the widest, do data differ enough to speak clearly of more than the likelihood.
    """
    widest = next(iter(sbc.checked))
    return all(noticed(sbc.checked[one] if one == widest else (), found) for one, found in prior.checked.items())


def summary(done: Calibration) -> Row:
    """The content of `summary.json`."""
    posterior, rows = done.posterior, tables(done)
    return {
        **done.kept.about,
        "evidence": posterior.evidence,
        "evidence_error": posterior.evidence_error,
        "pareto_k": finite(done.pareto),
        "verdicts": by_verdict(done.quantities),
        "thresholds": {
            "contraction": CONTRACTED, "recovery_rank_corr": RECOVERED, "correlation": ENTANGLED, "moved": MOVED,
            "median_shift_sd": MEDIANS, "width_change": WIDTHS, "level": LEVEL,
        },
        "sbc": sbc_record(done.sbc),
        "rejection_check": {
            "draws": done.again,
            "pass": all(one.passed for one in done.agreements if one.tested) if done.agreements else None,
        },
        "patterns": rows["patterns"],
        "posterior_predictive": records(done.ahead),
        **{name: rows[name] for name in ("hypotheses", "observations_by_hypothesis", "hypotheses_wide_priors")},
        "causal_patterns": rows["causal_patterns"],
        "prior_balance": records(done.rivals.balance),
    }  # fmt: skip


def with_results(done: Calibration) -> Shipped:
    """The kept draws, with the results."""
    rows = tables(done)
    results = {
        "observations": rows["observations"],
        "quantities": rows["parameters"],
        "correlations": rows["correlations"],
        "data_sensitivity": rows["data_sensitivity"],
        "sbc": sbc_record(done.sbc),
        "rejection_check": {"draws": done.again, "quantities": rows["rejection_check"]},
        **{name: rows[name] for name in ("hypotheses", "observations_by_hypothesis", "hypotheses_wide_priors")},
        **{name: rows[name] for name in ("necessity", "causal_patterns")},
        "posterior_predictive": records(done.ahead),
    }
    return replace(done.kept, about={**done.kept.about, "results": results})


def inference_data(done: Calibration) -> Any:
    """ArviZ's InferenceData: groups posterior and prior (chain, draw), one variable a parameter, and observed_data.

    Attributes of a variable are unit, symbol, meaning and verdict; those of the groups tell how it was made.
    """
    groups = {"posterior": done.kept.columns, "prior": prior_draws(done.posterior.bank).columns}
    data = arviz().from_dict(
        **{
            name: {key: one[None, :] for key, one in with_products(columns).items()} for name, columns in groups.items()
        },
        observed_data={one.id: np.array([one.reading.observed]) for one in done.settings.figures},
    )
    about = {key: str(value) for key, value in done.kept.about.items()}
    for group in data.groups():
        data[group].attrs = about
    for one in done.quantities:
        for group in groups:
            data[group][one.quantity].attrs = {
                "units": one.unit, "symbol": one.symbol, "long_name": one.text, "verdict": one.verdict,
            }  # fmt: skip
    for figure in done.settings.figures:
        data["observed_data"][figure.id].attrs = {
            "long_name": figure.text, "source": figure.source, "likelihood": figure.reading.words,
        }  # fmt: skip
    return data
