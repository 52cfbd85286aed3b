"""The numbers of the page: outcomes, a pair, patterns, each as a table of HTML; all text is escaped on its way in."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isfinite
from typing import Final

from sim.study.calibration.shipped import shipped_posterior
from sim.study.comparison.measures import named
from sim.study.comparison.paired import Competing, Effect
from sim.study.comparison.rows import finite
from sim.study.live.desk import Shown
from sim.study.live.lived import Lived
from sim.study.live.pair import Row
from sim.study.patterns import Verdict, at_once
from sim.study.summary import Statistic
from sim.view.app.explore.choice import capital
from sim.view.comparison import number, share
from sim.view.plots import no_week
from sim.view.report.answer import minus
from sim.view.tables import ASSUMED, band, percent, told
from sim.world.actors import Cast
from sim.world.errors import UserError
from sim.world.patterns import Pattern
from sim.world.scenario import Config
from sim.world.timeline import Calendar

FIRST: Final = (
    "acknowledged_campaign", "acknowledged_lull", "lull_days", "resumption_day", "war", "deaths", "injured",
    "directive_day", "release_day", "limited_responses",
)  # fmt: skip
"""Outcomes told at once; the others unfold."""

UNITS: Final = {"probability": "share of histories at this parameter set, ± Monte Carlo error", "day": "date", "1": ""}
"""Units that are told in other words."""

VERDICTS: Final = {True: ("holds", "✓ holds"), False: ("fails", "✗ fails"), None: ("open", "– not judged")}


NUMBERS: Final = (
    "Large numbers: medians, and beside them what nine in ten histories lie between; of direct war the share of"
    " histories at this parameter set, one among many, ± Monte Carlo error."
    f" {ASSUMED} assumed numbers, not data, decide this."
)
"""How the key figures are read."""

PAIR_COLUMNS: Final = ("A", "B", "B less A", "more", "less")


def key_figures(shown: Shown) -> str:
    """The few numbers that one looks at while moving a slider: of A, and of B where there is one."""
    stats = [{one.name: one for one in lived.stats} for lived in (shown.a, shown.b) if lived is not None]
    calendar = shown.a.config.scenario.calendar
    strikes, report = (f"{day.day} {day:%b}" for day in map(calendar.date_of, (calendar.strikes, calendar.report)))
    asked = (
        ("acknowledged_campaign", f"acknowledged attacks before {strikes}"),
        ("acknowledged_lull", f"from then to {report}"),
        ("lull_days", f"days until attacks resume{ASSUMED}"),
        ("deaths", "soldiers killed"),
        ("war", f"direct war{ASSUMED}"),
    )
    cells = "".join(f"<div><dt>{escape(words)}</dt>{_key_values(name, stats, calendar)}</div>" for name, words in asked)
    return f"<dl class='key'>{cells}</dl>"


def _key_values(name: str, stats: Sequence[Mapping[str, Statistic]], calendar: Calendar) -> str:
    told_values = []
    for side, by_name in zip("ab", stats, strict=False):
        letter = f"<i>{side.upper()}</i> " if len(stats) > 1 else ""
        middle, spread = _middle(by_name[name], calendar)
        small = f" <small>{escape(spread)}</small>" if spread else ""
        told_values.append(f"<dd class='{side}'>{letter}<b>{escape(middle)}</b>{small}</dd>")
    return "".join(told_values)


def _middle(one: Statistic, calendar: Calendar) -> tuple[str, str]:
    """The middle of an outcome and where nine in ten lie; of a chance its Monte Carlo error."""
    if one.unit == "probability":
        return percent(one.mean or 0.0), f"± {percent(one.mcse)}" if one.mcse else ""
    return told(one.median, one, calendar), band(one.q05, one.q95, one, calendar)


def outcomes(lived: Lived, side: str = "") -> str:
    """Median and 90% of every outcome, the ones most asked for first; `side` names the scenario where there are two."""
    by_name = {one.name: one for one in lived.stats}
    first = [by_name[name] for name in FIRST]
    rest = [one for one in lived.stats if one.name not in FIRST]
    note = f"{ASSUMED} assumed numbers, not data, decide this. 90%: nine in ten histories lie between."
    return (
        f"<h2>Outcomes of {f'{side}, ' if side else ''}{lived.config.runs:,} histories</h2>"
        f"<p class='note'>{escape(war_over_sets(lived.config.scenario.cast))}</p>"
        f"{_outcome_table(first, lived, 'Outcomes')}"
        f"<p class='note'>{note}</p><details><summary>{len(rest)} other outcomes</summary>"
        f"{_outcome_table(rest, lived, 'Other outcomes')}</details>"
    )


def war_over_sets(cast: Cast) -> str:
    """The probability of direct war over parameter sets, as found for the documented history of a case.

    Empty where no posterior of the case comes with the package.
    """
    try:
        results = shipped_posterior(cast).about.get("results", {})
    except UserError:
        return ""
    found = [
        one for one in results.get("ahead", ()) if one["name"] == "war" and None not in (*one["before"], *one["after"])
    ]
    if not found:
        return ""
    prior, posterior = (
        f"{percent(low)} to {percent(high)}" for low, _, high in (found[0]["before"], found[0]["after"])
    )
    return (
        f"Direct war under documented history: {posterior} over parameter sets drawn from the posterior, {prior} over"
        " those of the priors (90% intervals). The settings here are one parameter set among many."
    )


def _outcome_table(stats: Iterable[Statistic], lived: Lived, caption: str) -> str:
    rows = "".join(_outcome_row(one, lived) for one in stats)
    numbers = "".join(f"<th scope='col' class='number'>{one}</th>" for one in ("Median", "90%"))
    head = f"<tr><th scope='col'>Outcome</th>{numbers}</tr>"
    return f"<table><caption class='unseen'>{caption}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _outcome_row(one: Statistic, lived: Lived) -> str:
    calendar, cast = lived.config.scenario.calendar, lived.config.scenario.cast
    words = capital(named(one.text, cast))
    middle, spread = _middle(one, calendar)
    unit = UNITS.get(one.unit, one.unit)
    words = "Direct war" if one.name == "war" else words
    notes = [unit] if unit else []
    notes += [f"never in {percent(one.never)}"] if one.never else []
    notes += [f"cut at war or at the end in {percent(one.cut)}"] if one.cut else []
    values = " ".join(
        f'data-{key}="{value!r}"'
        for key, value in (("median", one.median), ("q05", one.q05), ("q95", one.q95), ("mean", one.mean))
    )
    mark = ASSUMED if one.prior_driven else ""
    return (
        f"<tr data-outcome='{one.name}' {values}><th scope='row'>{escape(words)}{mark}"
        f"<span class='unit'>{escape('; '.join(notes))}</span></th>"
        f"<td class='number'>{escape(middle)}</td><td class='number'>{escape(spread)}</td></tr>"
    )


def pair(shown: Shown) -> str:
    """What B changes against A, history by history; empty where there is no B."""
    if shown.b is None:
        return ""
    names = [one.config.scenario.name for one in (shown.a, shown.b)]
    head = "".join(f"<th scope='col' class='number'>{one}</th>" for one in PAIR_COLUMNS)
    rows = "".join(_pair_rows(row) for row in shown.rows)
    kept = next(row.no_war.share for row in shown.rows)
    about = (
        f"Each history of A ({escape(names[0])}) is set against that of B ({escape(names[1])}) with the same luck;"
        f" {escape(shown.pinned)} in both. Means, and medians of deaths; in brackets 90% of the difference under luck."
        " “More” and “less”: share of pairs in which B has more or less. Direct war ends a history, and what would have"
        " followed is not counted: less until war may only mean an earlier war. So counts and durations are compared"
        f" among the {escape(percent(kept))} of pairs without war in either arm; below that stand all pairs, until war."
    )
    return (
        "<h2>What B changes</h2><table class='wide pair'>"
        "<caption class='unseen'>A, B and their paired difference</caption>"
        f"<thead><tr><th scope='col'>Outcome</th>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p class='note'>{about}</p>"
    )


def _pair_rows(row: Row) -> str:
    """One measure; where war cuts it first of pairs without war in either arm, then of all, until war."""
    measure = row.measure
    words = {"war": "direct war"}.get(measure.name, measure.text)
    unit = "" if measure.unit in ("1", "probability") or measure.unit in words else measure.unit
    made = _pair_row(measure.name, capital(words), unit, measure.unit, row.compared)
    if measure.cut:
        made += _pair_row(f"{measure.name}_until_war", "", "all pairs, until war", measure.unit, row.effect)
    return made


def _pair_row(name: str, words: str, small: str, unit: str, effect: Effect | Competing) -> str:
    spread = ""
    if isfinite(effect.low):
        low, high = (number(one, unit, sign=True).removesuffix(" pts") for one in (effect.low, effect.high))
        spread = f"<br><span class='unit'>({escape(minus(low))} to {escape(minus(high))})</span>"
    cells = [
        *(escape(number(finite(one), unit)) for one in (effect.value_a, effect.value_b)),
        escape(minus(number(finite(effect.difference), unit, sign=True))) + spread,
        *(escape(share(one)) if isfinite(one) else "" for one in (effect.more, effect.less)),
    ]
    values = f'data-a="{effect.value_a!r}" data-b="{effect.value_b!r}" data-difference="{effect.difference!r}"'
    return (
        f"<tr data-measure='{name}' {values}><th scope='row'>{escape(words)}"
        f"<span class='unit'>{escape(small)}</span></th>"
        + "".join(
            f"<td class='number' data-column='{column}'>{cell}</td>"
            for column, cell in zip(PAIR_COLUMNS, cells, strict=True)
        )
        + "</tr>"
    )


def patterns(config: Config, verdicts: Sequence[Verdict], side: str = "") -> str:
    """Every pattern: what the article says, what the model gives, whether that lies within the tolerance.

    `side` names the scenario where there are two.
    """
    if not config.patterns:
        return ""
    found = {one.id: one for one in verdicts}
    rows = "".join(_pattern_row(one, found.get(one.id), config) for one in config.patterns)
    passed = sum(bool(one.holds) for one in verdicts)
    waiting = len(config.patterns) - len(verdicts)
    silent = bool(verdicts) and all(one.holds is None for one in verdicts)
    line = f"{passed} of {len(verdicts)} hold" + (f"; {waiting} are being worked out" if waiting else "")
    if silent:
        line = "The patterns describe the documented history, so they are measured here and not judged"
    head = "".join(f"<th scope='col'>{one}</th>" for one in ("", "Pattern", "Article", "Model", ""))
    return (
        f"<h2>Does {side or 'it'} look like the article?</h2><p data-waiting='{waiting}'>{line}.</p>"
        "<table class='wide patterns'><caption class='unseen'>Patterns of the article</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _pattern_row(pattern: Pattern, verdict: Verdict | None, config: Config) -> str:
    if verdict is None:
        cells = ("…" if not at_once(pattern) else "", "<td class='waiting'>…</td>")
    else:
        kind, words = VERDICTS[verdict.holds]
        cells = (verdict.model, f"<td class='{kind}'>{words}</td>")
    return (
        f"<tr data-pattern='{pattern.id}'><th scope='row'>{pattern.id}</th><td>"
        f"{escape(named(pattern.text, config.scenario.cast))}"
        f"<span class='unit'>{escape(pattern.kind)}</span></td><td data-column='Article'>{escape(pattern.figure)}</td>"
        f"<td data-column='Model'>{escape(cells[0])}</td>{cells[1]}</tr>"
    )


def legend(config: Config, pair: bool) -> str:
    """What the signs of the chart mean."""
    calendar = config.scenario.calendar
    strikes, report = (f"{day.day} {day:%b}" for day in map(calendar.date_of, (calendar.strikes, calendar.report)))
    names, rest = config.scenario.cast.names, no_week(config.scenario)
    signs = [
        ("line", "median of attacks a week" + (", A" if pair else "")),
        ("half", "half of the histories"),
        ("most", "nine in ten"),
        *([("other", "B: median, dashed nine in ten")] if pair else []),
        *([("article", "counted, says the article")] if config.patterns else []),
        ("order", f"{names.patron} orders restraint (median)"),
        ("lull", f"{strikes}: strikes of {names.target}, to the report of {report}"),
        ("later", "beyond: assumptions decide"),
    ]
    return "<p class='legend'>" + " ".join(
        f"<span><i class='{sign}' aria-hidden='true'></i>{escape(words)}</span>" for sign, words in signs
    ) + f"</p><p class='legend'>{NUMBERS}{escape(f' {rest}' if rest else '')}</p>"  # fmt: skip
