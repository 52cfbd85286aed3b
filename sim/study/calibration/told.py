"""A calibration as rows for tables and as one mapping for JSON; what is not identified has intervals and no value."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sim.study.calibration.again import MEDIANS, WIDTHS, Agreement
from sim.study.calibration.calibrating import Calibration, Conscience
from sim.study.calibration.conscience import LEVEL
from sim.study.calibration.figures import Figure
from sim.study.calibration.planted import DRAWS
from sim.study.calibration.predictive import Ahead
from sim.study.calibration.rival import GIVEN, LEFT_OUT, Leaning, Reading
from sim.study.calibration.shipped import Shipped
from sim.study.calibration.varied import Varied
from sim.study.calibration.verdicts import (
    CONTRACTED,
    ENTANGLED,
    IDENTIFIED,
    MOVED,
    NOT,
    RECOVERED,
    WEAKLY,
    Quantity,
    pairs,
)

Row = dict[str, Any]


def summary(done: Calibration) -> Row:
    """The content of `summary.json`."""
    posterior = done.posterior
    return {
        **done.kept.about,
        "evidence": posterior.evidence,
        "evidence_error": posterior.evidence_error,
        "pareto_k": finite(done.pareto),
        "verdicts": {verdict: [one.name for one in done.quantities if one.verdict == verdict] for verdict in VERDICTS},
        "thresholds": {
            "contraction": CONTRACTED, "recovery": RECOVERED, "correlation": ENTANGLED, "moved": MOVED,
            "medians_apart": MEDIANS, "widths_apart": WIDTHS, "level": LEVEL,
        },
        "check": conscience_told(done.conscience),
        "second_method": {
            "draws": done.again,
            "agrees": all(one.agrees for one in done.agreements if one.asked) if done.agreements else None,
        },
        "patterns": [asdict(one) | {"holds": None if one.holds is None else bool(one.holds)} for one in done.predicted],
        "ahead": [asdict(one) for one in done.ahead],
        "readings": reading_rows(done.rivals.readings),
        "observations_by_reading": observation_rows(done.rivals.readings),
        "readings_under_wide_priors": reading_rows(done.rivals.widened),
        "stories": [asdict(one) for one in done.rivals.stories],
        "prior_balance": [asdict(one) for one in done.rivals.balance],
    }  # fmt: skip


VERDICTS = (IDENTIFIED, WEAKLY, NOT)


def with_results(done: Calibration) -> Shipped:
    """The kept draws, with what was found told beside them."""
    results = {
        "figures": figure_rows(done.settings.figures),
        "quantities": quantity_rows(done.quantities),
        "correlations": correlation_rows(done),
        "varied": varied_rows(done.varied),
        "check": conscience_told(done.conscience),
        "second_method": {"draws": done.again, "quantities": agreement_rows(done.agreements)},
        "readings": reading_rows(done.rivals.readings),
        "observations_by_reading": observation_rows(done.rivals.readings),
        "readings_wide_priors": reading_rows(done.rivals.widened),
        "needed": [asdict(one) for one in done.rivals.needed],
        "stories": [asdict(one) for one in done.rivals.stories],
        "ahead": [asdict(one) for one in done.ahead],
    }
    return replace(done.kept, about={**done.kept.about, "results": results})


def conscience_told(conscience: Conscience) -> Row:
    """What planted truths say, region by region."""
    return {
        region: {
            "data_sets": conscience.ranked[region].sets,
            "left_out": conscience.ranked[region].left_out,
            "draws_ranked_among": DRAWS,
            "quantities": len(checked),
            "outside_the_band": [one.name for one in checked if not one.uniform],
            "coverage_off": [one.name for one in checked if not one.covered],
            "looked_at_again": [one.name for one in checked if one.again],
            "coverage_50": mean([one.coverage_50 for one in checked]),
            "coverage_90": mean([one.coverage_90 for one in checked]),
        }
        for region, checked in conscience.checked.items()
    }


def sound(conscience: Conscience) -> bool:
    """Whether nothing speaks against the method in any region."""
    return all(one.sound for checked in conscience.checked.values() for one in checked) and any(
        conscience.checked.values()
    )


def mean(values: Sequence[float]) -> float | None:
    """The mean; None of nothing."""
    return sum(values) / len(values) if values else None


def finite(value: float) -> float | None:
    """The number; None for none."""
    return value if abs(value) < float("inf") else None


def quantity_rows(quantities: Sequence[Quantity]) -> list[Row]:
    """Parameters and products: verdict, intervals before and after, measures. No median where it is not identified."""
    return [
        {
            "quantity": one.name,
            "symbol": one.symbol,
            "unit": one.unit,
            "verdict": one.verdict,
            "prior_q05": one.prior[0],
            "prior_q95": one.prior[1],
            "posterior_q05": one.posterior[0],
            "posterior_q25": one.half[0],
            "posterior_median": one.median,
            "posterior_q75": one.half[1],
            "posterior_q95": one.posterior[1],
            "contraction": one.contraction,
            "distance": one.distance,
            "recovery": finite(one.recovery),
            "closest": one.closest,
            "correlation": one.correlation,
            "calibrated": one.sound,
            "text": one.text,
        }
        for one in quantities
    ]


def figure_rows(figures: Sequence[Figure]) -> list[Row]:
    """The figures: what, from where, how read."""
    return [
        {"figure": one.id, "text": one.text, "source": one.source, "read_as": one.reading.words, "pattern": one.pattern}
        for one in figures
    ]


def check_rows(conscience: Conscience) -> list[Row]:
    """Every quantity in every region: ranks inside the band, coverages, recovery."""
    return [{"region": region, **asdict(one)} for region, checked in conscience.checked.items() for one in checked]


def agreement_rows(found: Sequence[Agreement]) -> list[Row]:
    """Both methods, quantity by quantity."""
    return [{**asdict(one), "asked": one.asked, "agrees": one.agrees} for one in found]


def reading_rows(readings: Sequence[Reading]) -> list[Row]:
    """Rival readings: prior and posterior probability, Bayes factor, each with its interval."""
    return [
        {
            "reading": one.id,
            "text": one.text,
            "prior_probability": one.prior_share,
            "posterior_probability": one.share,
            "probability_low": one.share_interval[0],
            "probability_high": one.share_interval[1],
            "bayes_factor": one.odds,
            "bayes_factor_error": one.odds_error,
            "bayes_factor_low": one.odds_interval[0],
            "bayes_factor_high": one.odds_interval[1],
            "evidence": one.evidence,
        }
        for one in readings
    ]


def observation_rows(readings: Sequence[Reading]) -> list[Row]:
    """Probability of each observation alone under each reading, none where it is excluded by definition."""
    return [
        {
            "reading": one.id,
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


def leaning_rows(found: Sequence[Leaning], readings: Sequence[Reading]) -> list[Row]:
    """Posterior probabilities of the readings where one prior keeps only half of itself."""
    return [
        {"parameter": one.key, "prior": one.prior}
        | {reading.id: finite(share) for reading, share in zip(readings, one.shares, strict=True)}
        for one in found
    ]


def correlation_rows(done: Calibration) -> list[Row]:
    """Pairs of parameters that the figures tie together."""
    return [{"one": one, "other": other, "correlation": value} for one, other, value in pairs(done.posterior)]


def tables(done: Calibration) -> Mapping[str, list[Row]]:
    """Every table by the name of its file."""
    return {
        "parameters": quantity_rows(done.quantities),
        "figures": figure_rows(done.settings.figures),
        "check": check_rows(done.conscience),
        "second_method": agreement_rows(done.agreements),
        "readings": reading_rows(done.rivals.readings),
        "observations_by_reading": observation_rows(done.rivals.readings),
        "readings_wide_priors": reading_rows(done.rivals.widened),
        "readings_by_prior": leaning_rows(done.rivals.leanings, done.rivals.readings),
        "needed": [asdict(one) for one in done.rivals.needed],
        "stories": [asdict(one) for one in done.rivals.stories],
        "patterns": [asdict(one) for one in done.predicted],
        "ahead": ahead_rows(done.ahead),
        "varied": varied_rows(done.varied),
        "correlations": correlation_rows(done),
    }  # fmt: skip


def ahead_rows(found: Sequence[Ahead]) -> list[Row]:
    """Outcomes before and after; of a probability its mean, and quantiles over the parameter sets."""
    return [
        {"outcome": one.name, "text": one.text, "unit": one.unit, "prior_driven": one.prior_driven}
        | _told("prior", one.before, one.unit)
        | _told("posterior", one.after, one.unit)
        for one in found
    ]


def _told(when: str, values: Sequence[float | None], unit: str) -> Row:
    low, middle, high = values
    median, share = (None, middle) if unit == "probability" else (middle, None)
    return {f"{when}_q05": low, f"{when}_median": median, f"{when}_q95": high, f"{when}_share": share}


def varied_rows(found: Sequence[Varied]) -> list[Row]:
    """Figures left out or read otherwise: effective draws and intervals of nine in ten."""
    return [
        {"change": one.change, "effective": one.effective, "evidence": one.evidence}
        | {f"{name} {end}": ends[place] for name, ends in one.intervals.items() for place, end in enumerate(ENDS)}
        for one in found
    ]


ENDS = ("q05", "q95")
