"""Tables of the documents, written from the code and from what is shipped.

A document marks a place with `<!-- table: NAME -->` and `<!-- end of table -->`; all between the two is written here.
`python -m sim.reporting.docs_tables FILE ...` fills the tables of these documents anew; `make tables` does it for all.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from functools import cache, partial
from itertools import chain, groupby
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.analysis.calibration.calibration_run import excluded_words
from sim.analysis.calibration.identifiability import NOT
from sim.analysis.durations import outlook_of
from sim.analysis.pattern_tests import DRAWS, Verdict, judge, prior_balance
from sim.analysis.summary import PRIOR_DRIVEN
from sim.engine.extension.plan import CHANGEABLE_STATES, changeable_numbers
from sim.engine.extension.replacement import REPLACEABLE
from sim.engine.inputs import NEUTRAL_NUMBERS, NEUTRAL_THEATRES, NEUTRAL_WINGS
from sim.engine.reference.model import ReferenceModel
from sim.experiment.ensemble import simulate_config
from sim.experiment.formats import full_date
from sim.experiment.parameter_sets import read_posterior, shipped_path
from sim.model.declared_outcomes import DERIVED, RECORDED
from sim.model.parameters import MECHANISM_NAMES, Mechanisms, shared_declarations
from sim.model.scenario import Row, load, parameter_rows, scenario_names
from sim.reporting.calibration_tables import alone, story_table
from sim.reporting.formulas import OF_THE_DAY, Symbol, markdown, parse_docstring, rules_of, symbols, tex
from sim.reporting.report_contents import GLOSSARY
from sim.reporting.style import BLUE, INK, PALE, new_figure, save, style
from sim.reporting.table import Table
from sim.reporting.tables import days_words, over_prior_words, sets_words
from sim.reporting.text import code, percent
from sim.rules import (
    casualties,
    decisions,
    ladder,
    mediator,
    militia,
    observation,
    patron,
    rates,
    rival,
    target,
)
from sim.rules.decisions import STEPS

# --- the tables ---------------------------------------------------------------------------------------------

Rows = Iterable[Sequence[str]]
TABLES: Final[dict[str, Callable[[], Table]]] = {}
"""Every table by the name that documents call it by."""


def table(name: str, *heads: str, note: Callable[[], str] = str) -> Callable[[Callable[[], Rows]], Callable[[], Rows]]:
    """Make a table of these headings of the rows that a function gives."""

    def add(rows: Callable[[], Rows]) -> Callable[[], Rows]:
        TABLES[name] = lambda: Table.of_texts(heads, rows(), note=note())
        return rows

    return add


def _by_first(keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Full keys by what stands before the dot."""
    for first, found in groupby(keys, key=lambda key: key.partition(".")[0]):
        yield first, ", ".join(code(one) for one in found)


# --- what the code declares ---------------------------------------------------------------------------------

ROLES: Final = (militia, patron, mediator, target, rival, casualties, observation, ladder, rates)
"""The modules of the rules of the day."""


@cache
def _article() -> list[Row]:
    return parameter_rows(load().scenario)


@table("parameters", "Key", "Symbol", "Default", "Range", "Unit", "Prior", "Class", "Source", "Meaning")
def parameters() -> Rows:
    """Every parameter that holds for a whole case, with its value in the article's."""
    for row in _article():
        if row.key in shared_declarations():
            value, span = f"{row.value:g}", f"{row.low:g} to {row.high:g}"
            symbol, text = f"${tex(row.symbol)}$", f"{row.title}: {row.text}"
            yield code(row.key), symbol, value, span, row.unit, row.prior, row.provenance, row.source, text


def symbol_rows(shown: Iterable[Symbol]) -> Rows:
    """Symbols of the formulas, what they stand for, and where it is found: states and inputs, or parameters."""
    for one in shown:
        yield f"${one.tex}$", one.name, one.meaning, one.unit, code(one.key) if one.key else ""


for _name, _shown in (("symbols of the day", OF_THE_DAY), ("symbols", symbols()[len(OF_THE_DAY) :])):
    table(_name, "Symbol", "Name", "Meaning", "Unit", "Key")(partial(symbol_rows, _shown))


def cast(prefix: str) -> Rows:
    """The numbers of the article's wings (`militia`) or theatres (`theatre`), each with its class and source."""
    for row in _article():
        if row.key.startswith(f"{prefix}."):
            yield code(row.key), f"{row.value:g}", row.unit, row.provenance, row.source


for _name, _prefix in (("wings", "militia"), ("theatres", "theatre")):
    table(_name, "Key", "Value", "Unit", "Class", "Source")(partial(cast, _prefix))


def rules(module: ModuleType) -> Rows:
    """The rules of one role: what each says, its formula, units and source, as their docstrings have it."""
    for rule in rules_of(module):
        parts, role = parse_docstring(rule), rule.__module__.rpartition(".")[2]
        about = f"*Units:* {parts.units} *Source:* {parts.source}"
        yield code(f"{role}.{rule.__name__}"), "<br>".join((parts.summary, *map(markdown, parts.formula), about))


for _role in ROLES:
    _name = f"rules of {_role.__name__.rpartition('.')[2]}"
    table(_name, "Rule", "What it says")(partial(rules, _role))


@table("day", "", "Step", "What happens")
def day() -> Rows:
    """The steps of a day, in order, as the engines take them."""
    for number, name in enumerate(STEPS, 1):
        yield str(number), code(name), inspect.getdoc(getattr(ReferenceModel, name)) or ""


@table("mechanisms", "Key", "On", "Off")
def mechanisms() -> Rows:
    """The switches: what happens when on, and which number is put to which value when off."""
    for name, meaning in zip(MECHANISM_NAMES, attribute_docs(Mechanisms), strict=True):
        groups = (group.get(name, {}).items() for group in (NEUTRAL_NUMBERS, NEUTRAL_THEATRES, NEUTRAL_WINGS))
        neutral = ", ".join(f"{code(key)} = {value:g}" for key, value in dict(chain(*groups)).items())
        if name == "autonomy":
            neutral = "factors on every wing's autonomy and ideology = 0"
        yield code(f"mechanisms.{name}"), meaning, neutral


def attribute_docs(described: type) -> list[str]:
    """The strings that stand under the fields of a dataclass, one per field."""
    body = ast.parse(inspect.getsource(described)).body[0]
    assert isinstance(body, ast.ClassDef)
    texts = [
        " ".join(ast.literal_eval(after.value).split())
        for field, after in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr)
    ]
    assert len(texts) == len(fields(described)), described
    return texts


@table("decisions", "Who", "Decision", "Number", "What is drawn")
def random_decisions() -> Rows:
    """Every random decision, with its number; k counts the attacks of a day from 0."""
    for actor, own in decisions.CHANCE_DECIDES.items():
        for name, text in own.items():
            by_attack = " + k" if name in ("FATE", "INJURED", "KILLED") else ""
            yield actor, code(name), f"{getattr(decisions, name)}{by_attack}", text


@table("outcomes", "Outcome", "Unit", "Meaning", "Heavy tail", "Prior-dominated")
def kept_outcomes() -> Rows:
    """What is kept of every history, and whether assumed numbers rather than observations decide it."""
    for one in (*RECORDED, *DERIVED):
        heavy, driven = ("yes" if flag else "" for flag in (one.heavy_tailed, one.name in PRIOR_DRIVEN))
        yield code(one.name), one.unit, f"{one.title}: {one.text}", heavy, driven


# --- who influences whom ------------------------------------------------------------------------------------

INFLUENCES: Final = {
    ("timeline", "rival"): "intensity of the war, acts",
    ("timeline", "patron"): "campaign, documented orders",
    ("timeline", "mediators"): "talks",
    ("timeline", "wings"): "multipliers, supply, scheduled strikes, documented attacks",
    ("timeline", "target"): "documented responses",
    ("rival", "patron"): "acts against it",
    ("rival", "wings"): "gate of the war",
    ("patron", "wings"): "order, gains",
    ("patron", "target"): "open answer",
    ("patron", "ladder"): "war risk, open answer",
    ("mediators", "wings"): "pressure",
    ("groups", "wings"): "pause",
    ("wings", "groups"): "conviction",
    ("wings", "patron"): "ordered attacks",
    ("wings", "target"): "attacks, casualties",
    ("wings", "wings"): "strikes on the collective",
    ("target", "patron"): "threat, strikes, deaths",
    ("target", "mediators"): "strikes at home, deaths",
    ("target", "wings"): "strikes, threat",
    ("target", "ladder"): "attacks, casualties, responses",
    ("ladder", "target"): "rung",
}
"""Who reads the state of whom, and what is read. A test compares it with what the agents of the Mesa model read."""

_PLACES: Final = {
    "rival": (1.5, 5.3), "patron": (5.3, 5.3), "ladder": (9.4, 5.3), "wings": (3.1, 2.7), "target": (8.3, 2.7),
    "groups": (1.1, 0.5), "mediators": (5.9, 0.5),
}  # fmt: skip
"""Where each stands in the figure, whose width is 10.4 and height 6."""


@table("influences", "Whose state", "Who reads it", "What")
def influences() -> Rows:
    """Who influences whom."""
    return ((one, other, what) for (one, other), what in INFLUENCES.items())


def influence_figure() -> Figure:
    """Who influences whom, as arrows; what comes from the timeline stands in the box of whom it concerns."""
    with style():
        figure = new_figure(9.5, 5.5)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set(xlim=(0.0, 10.4), ylim=(-0.1, 6.0))
        axes.axis("off")
        boxes = {name: _box(axes, name, INFLUENCES.get(("timeline", name), "")) for name in _PLACES}
        for (one, other), what in INFLUENCES.items():
            if one in boxes and one != other:
                _arrow(axes, (one, other), what, boxes)
    return figure


def _box(axes: Axes, name: str, from_timeline: str) -> Any:
    """The box of an actor."""
    own = INFLUENCES.get((name, name))
    lines = [rf"$\bf{{{name}}}$", f"each other: {own}" if own else "", *from_timeline.split(", ")]
    look: Any = {"boxstyle": "round,pad=0.45", "facecolor": PALE, "edgecolor": INK}
    text = "\n".join(line for line in lines if line)
    return axes.text(*_PLACES[name], text, ha="center", va="center", fontsize=9, bbox=look).get_bbox_patch()


def _arrow(axes: Axes, pair: tuple[str, str], what: str, boxes: Mapping[str, Any]) -> None:
    """An arrow from one to the other, bent where there is one the other way too, with words in its middle."""
    (x, y), (to_x, to_y) = (_PLACES[one] for one in pair)
    bend = 0.2 if pair[::-1] in INFLUENCES else 0.0
    look: dict[str, Any] = {"arrowstyle": "-|>", "color": BLUE, "lw": 1.4, "connectionstyle": f"arc3,rad={bend}"}
    look |= {"patchA": boxes[pair[0]], "patchB": boxes[pair[1]], "shrinkA": 1.0, "shrinkB": 1.0}
    axes.annotate("", (to_x, to_y), (x, y), arrowprops=look, zorder=3.5)  # after the boxes, at whose edges it ends
    # The bent arrow's middle lies half the bend to the right of its way.
    middle = ((x + to_x) / 2 + bend * (to_y - y) / 2, (y + to_y) / 2 - bend * (to_x - x) / 2)
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    axes.text(*middle, what.replace(", ", ",\n"), ha="center", va="center", fontsize=9, bbox=paper, zorder=4)


# --- what is shipped, and what the model gives for it -------------------------------------------------------

HEADLINES: Final = ("P1", "P2", "P3", "P5", "P8", "P9", "P13")
"""The patterns that the front page shows."""


@table("scenarios", "Scenario", "Key", "Question", "Departs")
def scenarios() -> Rows:
    """The shipped scenarios and the question of each."""
    return ((one.title, code(one.name), one.question, one.departs or "never") for one in scenario_names())


@table("pins", "Pin", "Kind", "Days", "First day", "Last day", "Source")
def pins() -> Rows:
    """The documented events that the article's history pins."""
    scenario = load().scenario
    for pin in scenario.pins:
        first, last = (scenario.calendar.date_of(day).isoformat() for day in (pin.first, pin.last))
        yield code(pin.id), pin.kind, f"{pin.first} to {pin.last}", first, last, pin.source


@cache
def baseline() -> tuple[Verdict, ...]:
    """The verdicts that a plain `lull run` prints."""
    config = load()
    return judge(config, simulate_config(config))


@table("patterns", "", "Pattern", "Kind", "Judged under", "Article", "Model", "Holds when", "Over the priors", "Holds")
def patterns() -> Rows:
    """Every pattern: what the article says, what the model gives, and what is tolerated."""
    for one in baseline():
        holds, over = "yes" if one.holds else "no", over_prior_words(one)
        yield one.id, one.text, one.kind, one.judged, one.article, one.model, one.tolerance, over, holds


@table("headlines", "What", "Article", "Model", "Kind")
def headlines() -> Rows:
    """The patterns that a newcomer wants to see first."""
    return ((one.text, one.article, one.model, one.kind) for one in baseline() if one.id in HEADLINES)


@table("outlook", "Given the observations, in the model", "Value", "Monte Carlo error", "90% over parameter sets")
def outlook() -> Rows:
    """How the observed winter goes on: the length of the lull and the probability of war."""
    one = outlook_of(load())
    lull, war = one.lull, one.war
    median, low, high = (days_words(days, one) for days in (lull.median, lull.low, lull.high))
    yield (
        f"days from {full_date(one.strikes)} until attacks resume, median",
        median,
        f"± {lull.error:.0f}",
        f"{low} to {high}",
    )
    for days in (60, 120, 180):
        at, day = one.course[days], full_date(one.strikes + timedelta(days=days))
        spread = f"{percent(at['q05'])} to {percent(at['q95'])}"
        yield f"attacks have resumed by {day}", percent(at["ended"]), f"± {percent(at['error'])}", spread
    yield f"direct war by {full_date(one.last)}", percent(war.mean), f"± {percent(war.error)}", sets_words(war)


@table(
    "balance", "Explanation", "None in Iraq (P2)", "One to four in Syria (P3)", "Both",
    note=lambda: f"{DRAWS} draws from the priors, the same for each explanation; ± is one standard error.",
)  # fmt: skip
def balance() -> Rows:
    """Prior-predictive probabilities of the calm under each rival explanation."""
    for one in prior_balance(load()):
        shares = (one.none, one.few, one.both)
        yield one.reading, *(f"{100 * share:.1f}% ± {100 * one.error(share):.1f}" for share in shares)


@table("glossary", "Term", "Meaning")
def glossary() -> Rows:
    """The terms of every report."""
    return GLOSSARY.items()


@table("replaceable rules", "Role", "Rules")
def replaceable() -> Rows:
    """Rules that another function may take the place of, by role."""
    return _by_first(REPLACEABLE)


@table("changeable", "What", "Names")
def changeable() -> Rows:
    """Numbers and states of the model that a change may change, as a user writes them."""
    states: dict[str, list[str]] = {}
    for name, moment in CHANGEABLE_STATES.items():
        states.setdefault(f"state, at {code(moment)}", []).append(code(name))
    return [*((what, ", ".join(names)) for what, names in states.items()), *_by_first(changeable_numbers())]


# --- the posterior that comes with the package --------------------------------------------------------------


def results() -> dict[str, Any]:
    """The results of the calibration that made the bundled posterior."""
    found: dict[str, Any] = read_posterior(shipped_path()).about["results"]
    return found


@table("fitted to", "Observation", "What", "Source", "Likelihood")
def fitted_to() -> Rows:
    """What is fitted to."""
    for one in results()["observations"]:
        yield code(one["observation"]), one["text"], one["source"], one["likelihood"]


def _not_identified() -> str:
    quantities = results()["quantities"]
    rest = [code(one["quantity"]) for one in quantities if one["verdict"] == NOT]
    return f"Not identified, {len(rest)} of {len(quantities)}: {', '.join(rest)}."


@table(
    "verdicts", "Quantity", "Unit", "Prior, 90%", "Posterior, 90%", "Median", "Contraction", "Recovery", "Verdict",
    note=_not_identified,
)  # fmt: skip
def verdicts() -> Rows:
    """The quantities that the observations inform; all others in one sentence."""
    for one in results()["quantities"]:
        if one["verdict"] != NOT:
            spans = (f"{one[f'{when}_q05']:.2g} to {one[f'{when}_q95']:.2g}" for when in ("prior", "posterior"))
            name = code(one["quantity"]) if "." in one["quantity"] else f"{one['quantity']} ({one['symbol']})"
            yield (
                name, one["unit"], *spans, f"{one['posterior_median']:.3g}", f"{max(0.0, one['contraction']):.0%}",
                f"{one['recovery_rank_corr']:.2f}", one["verdict"],
            )  # fmt: skip


@table(
    "hypotheses", "The calm because", "Before", "After (95%)", "Bayes factor ± Monte Carlo error (95%)",
    "After, wide priors", note=lambda: excluded_words(results()["observations_by_hypothesis"]),
)  # fmt: skip
def hypotheses() -> Rows:
    """Rival explanations."""
    wide = {one["hypothesis"]: one["posterior_probability"] for one in results()["hypotheses_wide_priors"]}
    for one in results()["hypotheses"]:
        after = f"{one['posterior_probability']:.1%} ({one['probability_low']:.1%} to {one['probability_high']:.1%})"
        odds = f"{one['bayes_factor']:.0f}"
        if one["bayes_factor_low"] < one["bayes_factor_high"]:
            odds = f"{one['bayes_factor']:.2f} ± {one['bayes_factor_error']:.2f}"
            odds += f" ({one['bayes_factor_low']:.2f} to {one['bayes_factor_high']:.2f})"
        yield one["text"], f"{one['prior_probability']:.1%}", after, odds, f"{wide[one['hypothesis']]:.1%}"


def observation_table() -> Table:
    """Probability of each observation alone under each explanation."""
    rows: dict[str, dict[str, str]] = {}
    for one in results()["observations_by_hypothesis"]:
        cell = alone(one["probability"], one["excluded_by_definition"])
        rows.setdefault(one["text"], {})[one["observation"]] = cell
    heads = ("The calm because", *map(code, next(iter(rows.values()))))
    return Table.of_texts(heads, ((text, *cells.values()) for text, cells in rows.items()))


def cause_table() -> Table:
    """Sufficient and necessary causes of the calm."""
    return replace(story_table(results()["causal_patterns"], results()["necessity"]), title="")


TABLES.update({"observations by hypothesis": observation_table, "causal patterns": cause_table})


@table("sbc", "SBC", "Data sets", "Skipped", "Ranks uniform", "Coverage of 50%", "Coverage of 90%")
def checks() -> Rows:
    """The results of simulation-based calibration (SBC)."""
    for region, one in results()["sbc"].items():
        count = one["quantities"]
        inside, covered = (f"{count - len(one[name])} of {count}" for name in ("outside_the_band", "coverage_off"))
        fifty, ninety = f"{one['coverage_50']:.1%}, {covered} within error", f"{one['coverage_90']:.1%}"
        yield region, f"{one['data_sets']:,}", f"{one['left_out']:,}", inside, fifty, ninety


@table(
    "rejection check", "Quantity", "Difference of medians, in posterior SD", "Difference of widths", "Agrees",
    note=lambda: f"{results()['rejection_check']['draws']} draws by rejection ABC.",
)  # fmt: skip
def agreements() -> Rows:
    """Importance weighting against rejection ABC, for what is tested."""
    for one in results()["rejection_check"]["quantities"]:
        if one["tested"]:
            agrees = "yes" if one["pass"] else "no"
            yield one["name"], f"{one['median_shift_sd']:+.2f}", f"{one['width_change']:+.0%}", agrees


# --- putting tables into documents --------------------------------------------------------------------------

_OPENED: Final = re.compile(r"^<!-- table: ([^\n]*) -->$", re.MULTILINE)
_CLOSED: Final = re.compile(r"^<!-- end of table -->$", re.MULTILINE)
_PLACE: Final = re.compile(rf"({_OPENED.pattern}\n).*?({_CLOSED.pattern})", re.MULTILINE | re.DOTALL)


def filled(text: str) -> str:
    """The text of a document with all its tables written anew."""
    names = _OPENED.findall(text)
    if unknown := [name for name in names if name not in TABLES]:
        raise ValueError(f"table {unknown[0]!r}: allowed are {', '.join(TABLES)}")
    if not len(names) == len(_CLOSED.findall(text)) == len(_PLACE.findall(text)):
        raise ValueError("every table needs its own end, and every end its table")
    return _PLACE.sub(lambda place: f"{place[1]}\n{TABLES[place[2]]().to_markdown()}\n\n{place[3]}", text)


def main(paths: Sequence[str]) -> None:
    """Fill the tables of these documents and name those that changed; a picture is drawn anew."""
    for path in map(Path, paths):
        if path.suffix == ".png":
            save(influence_figure(), path)
            continue
        before = path.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            print(f"{path}: tables written")


if __name__ == "__main__":
    main(sys.argv[1:])
