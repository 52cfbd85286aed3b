"""Tables of a calibration, each at most 100 columns wide."""

from collections.abc import Sequence
from typing import Final

from rich.markup import escape
from rich.table import Table

from sim.study.calibration.again import MEDIANS, WIDTHS, Agreement
from sim.study.calibration.calibrating import Calibration, Conscience
from sim.study.calibration.conscience import LEVEL
from sim.study.calibration.figures import Figure
from sim.study.calibration.predictive import Ahead, Predicted
from sim.study.calibration.rival import Leaning, Needed, Reading, Story
from sim.study.calibration.told import excluded_words, observation_rows
from sim.study.calibration.varied import Varied
from sim.study.calibration.verdicts import IDENTIFIED, NOT, WEAKLY, Quantity
from sim.view.tables import ASSUMED, VERDICTS, percent, table
from sim.world.timeline import Calendar

EXCLUDED: Final = "excluded by definition"
_VERDICT_LOOK: Final = {IDENTIFIED: "[bold green]identified[/]", WEAKLY: "weakly", NOT: "[dim]not identified[/]"}


def figure_table(figures: Sequence[Figure]) -> Table:
    """What is fitted to, from where, and how it is read."""
    made = table("Fitted to", {"figure": 44, "source": 18, "read as": 34})
    for one in figures:
        made.add_row(escape(one.text), escape(one.source), escape(one.reading.words))
    return made


def quantity_table(quantities: Sequence[Quantity]) -> Table:
    """Parameters that the figures say something about: intervals before and after, and the verdict."""
    columns = {"": 33, "prior 90%": 15, "posterior 90%": 15, "median": 8, "contraction": 11, "verdict": 10}
    made = table("What the figures say", columns, right=("prior 90%", "posterior 90%", "median", "contraction"))
    for one in quantities:
        if one.verdict != NOT:
            middle = "" if one.median is None else f"{one.median:.3g}"
            cells = (interval(one.prior), interval(one.posterior), middle, f"{max(0.0, one.contraction):.0%}")
            made.add_row(f"{escape(one.name)} [dim]{escape(one.symbol)}[/]", *cells, _VERDICT_LOOK[one.verdict])
    return made


def interval(ends: tuple[float, float]) -> str:
    """An interval in few digits."""
    return f"{ends[0]:.2g} to {ends[1]:.2g}"


def not_identified(quantities: Sequence[Quantity]) -> str:
    """The parameters that the figures say nothing about, in a sentence."""
    names = [one.name for one in quantities if one.verdict == NOT]
    if not names:
        return "No parameter is left as the prior had it."
    return (
        f"Not identified, so intervals only, in parameters.csv: {len(names)} of {len(quantities)}."
        f" {escape(', '.join(names))}."
    )


def pairs_line(found: Sequence[tuple[str, str, float]], most: int = 4) -> str:
    """The parameters that the figures tie together most."""
    told = [f"{one} with {other} ({value:+.2f})" for one, other, value in found[:most]]
    return f"Tied together: {escape('; '.join(told))}." if told else "No two parameters are tied together."


def conscience_lines(conscience: Conscience) -> list[str]:
    """What planted truths say, a line for each region."""
    lines = []
    for region, checked in conscience.checked.items():
        ranked = conscience.ranked[region]
        if not checked:
            lines.append(f"Planted truths {region}: the bank is too small for any of {ranked.left_out} data sets.")
            continue
        outside = [one.name for one in checked if not one.uniform]
        off = [one.name for one in checked if not one.covered]
        half = sum(one.coverage_50 for one in checked) / len(checked)
        most = sum(one.coverage_90 for one in checked) / len(checked)
        lines.append(
            f"Planted truths {region}: {ranked.sets} ranked ({ranked.left_out} more left out by their data), ranks of"
            f" {len(checked) - len(outside)} of {len(checked)} quantities uniform, coverage within its error for"
            f" {len(checked) - len(off)}; on average {half:.1%} in 50%, {most:.1%} in 90%, all at level {LEVEL:g}."
        )
        if again := [one.name for one in checked if one.again]:
            lines.append(f"  off at first, looked at again with other truths: {escape(', '.join(again))}")
        lines += [f"  [bold red]off twice:[/] {escape(name)}" for name in dict.fromkeys((*outside, *off))]
    return lines


def agreement_table(found: Sequence[Agreement], draws: int) -> Table:
    """Both methods side by side, for what is identified or weakly so."""
    columns = {"": 34, "medians apart (deviations)": 14, "widths apart": 12, "asked": 6, "agrees": 7}
    made = table(f"The same by plain rejection, another seed, {draws} draws", columns, tuple(columns)[1:3])
    for one in found:
        if one.verdict != NOT:
            numbers = (f"{one.medians_apart:+.2f}", f"{one.widths_apart:+.0%}")
            made.add_row(escape(one.name), *numbers, "yes" if one.asked else "no", "yes" if one.agrees else "no")
    made.caption = f"asked of what is identified: at most {MEDIANS:g} deviations and {WIDTHS:.0%} of the width"
    made.caption_justify = "left"
    return made


def reading_table(readings: Sequence[Reading], widened: Sequence[Reading]) -> Table:
    """Rival readings: probabilities before and after, the Bayes factor, and the same under wider priors."""
    columns = {"the calm because": 39, "before": 6, "after": 15, "Bayes factor ± error": 24, "wide priors": 7}
    made = table("Rival readings, equally probable before", columns, tuple(columns)[1:])
    wide = {one.id: one for one in widened}
    for one in readings:
        low, high = one.share_interval
        after = f"{percent(one.share)} ({percent(low)}–{percent(high)})"
        spread = f"({one.odds_interval[0]:.2f}–{one.odds_interval[1]:.2f})"
        factor = "1" if one is readings[-1] else f"{one.odds:.2f} ± {one.odds_error:.2f} {spread}"
        other = percent(wide[one.id].share) if one.id in wide else ""
        made.add_row(escape(one.text), percent(one.prior_share), after, factor, other)
    made.caption = "Against all of these; ± one Monte Carlo error, in brackets 95% for the finite number of histories."
    if words := excluded_words(observation_rows(readings)):
        made.caption += f"\n{escape(words)}"
    made.caption_justify = "left"
    return made


def observation_table(readings: Sequence[Reading]) -> Table:
    """Probability of each observation alone under each reading."""
    names = list(readings[0].singles)
    columns = {"the calm because": 24, **dict.fromkeys(names, 10)}
    made = table("Probability of each observation alone", columns, tuple(names))
    for one in readings:
        made.add_row(escape(one.text), *(alone(single.probability, single.fixed) for single in one.singles.values()))
    return made


def alone(probability: float | None, fixed: bool) -> str:
    """Probability of an observation alone under a reading."""
    return (
        EXCLUDED
        if fixed or probability is None
        else f"{probability:.1%}"
        if probability >= 1e-3
        else f"{probability:.1g}"
    )


def story_table(stories: Sequence[Story], needed: Sequence[Needed]) -> Table:
    """What is enough for the calm, and what it needs, draw by draw, before and after."""
    made = table(
        "Draw by draw, the same luck with some of it taken away", {"": 74, "before": 8, "after": 8}, ("before", "after")
    )
    for one in stories:
        made.add_row(escape(one.text), percent(one.before), percent(one.after))
    for each in needed:
        made.add_row(escape(f"no calm without: {each.text}"), percent(each.fails_before), percent(each.fails_after))
    if needed:
        made.caption = (
            f"of {needed[0].draws_before} draws of the prior with the calm, {needed[0].draws_after} of the posterior"
        )
        made.caption_justify = "left"
    return made


def predicted_table(found: Sequence[Predicted]) -> Table:
    """Every pattern with its predictive probability before and after."""
    columns = {"": 3, "pattern": 34, "kind": 12, "model after": 21, "before": 7, "after": 7, "verdict": 7}
    made = table("Patterns: share of histories, or pairs, that show each", columns, ("before", "after"))
    for one in found:
        shares = (("–" if share is None else percent(share)) for share in (one.before, one.after))
        made.add_row(one.id, escape(one.text), one.kind, escape(one.model), *shares, VERDICTS[one.holds])
    return made


def ahead_table(found: Sequence[Ahead], calendar: Calendar) -> Table:
    """Outcomes before and after: median and interval of nine in ten."""
    made = table("Predicted", {"outcome": 46, "before": 24, "after": 24}, ("before", "after"))
    for one in found:
        text = one.text + (ASSUMED if one.prior_driven else "")
        made.add_row(text, *(_ahead(one, told, calendar) for told in (one.before, one.after)))
    made.caption = f"{ASSUMED} assumptions decide, whatever the figures: to be read beside the prior alone. Of a"
    made.caption += " probability: 90% interval over parameter sets, and the mean."
    made.caption_justify = "left"
    return made


def _ahead(one: Ahead, told: Sequence[float | None], calendar: Calendar) -> str:
    low, middle, high = (_number(value, one.unit, calendar) for value in told)
    if one.unit != "probability":
        return f"{middle} ({low} to {high})"
    return f"{low} to {high} (mean {middle})" if told[0] is not None else f"mean {middle}"


def _number(value: float | None, unit: str, calendar: Calendar) -> str:
    if value is None:
        return "never"
    if unit == "day":
        day = calendar.date_of(int(value))
        return f"{day.day} {day:%b}"
    return percent(value) if unit == "probability" else f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def method_line(done: Calibration) -> str:
    """How many draws of what the posterior rests on."""
    posterior = done.posterior
    return (
        f"{posterior.bank.size:,} histories from the prior; {len(posterior.rows):,} agree with the figures,"
        f" worth {posterior.effective:,.0f} draws (Pareto k {done.pareto:.2f}); {done.kept.draws:,} kept."
    )


def varied_table(found: Sequence[Varied], quantities: Sequence[Quantity], most: int = 3) -> Table:
    """What each figure does: intervals of the most contracted quantities without it, or with it read otherwise."""
    names = [one.name for one in quantities if one.verdict != NOT][:most]
    columns = {"figures": 25, "worth draws": 7, **dict.fromkeys(names, 20)}
    made = table("What each figure does: 90% intervals", columns, tuple(columns)[1:])
    for one in found:
        made.add_row(one.change, f"{one.effective:,.0f}", *(interval(one.intervals[name]) for name in names))
    return made


def leaning_table(found: Sequence[Leaning], readings: Sequence[Reading], most: int = 8) -> Table:
    """How far the odds hang on one prior: probabilities where it keeps half of itself, single causes summed up."""
    single = [place for place, one in enumerate(readings) if len(one.channels) == 1]
    likely = sorted((place for place in range(len(readings)) if place not in single), key=lambda p: -readings[p].share)
    shown = sorted(likely[:3])
    columns = {"prior": 40, "single causes": 8, **{readings[place].id.replace("+", " + "): 14 for place in shown}}
    made = table("What the odds hang on most", columns, tuple(columns)[1:])
    for one in found[:most]:
        sums = [sum(one.shares[place] for place in single), *(one.shares[place] for place in shown)]
        made.add_row(f"{one.key}, {one.prior}", *(percent(share) for share in sums))
    return made
