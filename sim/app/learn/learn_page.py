"""The page: choose a rule, change its arguments, see its result.

A rule is drawn as a curve: the rule itself, called at every point of a grid of one argument.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import panel as pn
from bokeh.models import ColumnDataSource, DataRange1d, FixedTicker, Range1d
from bokeh.plotting import figure

from sim.app.frame import (
    WIDE,
    UrlBar,
    button,
    complaint,
    field,
    html,
    pieces,
    plain_figure,
    quieten,
    row,
    share,
    url_settings,
)
from sim.app.learn.rule_catalog import (
    RUN,
    SEED,
    RuleArgument,
    RuleChapter,
    RuleEntry,
    argument_ranges,
    chapters,
    day_steps,
    plain,
    steps_of,
)
from sim.engine.trace import Decision
from sim.model.facts import load_facts
from sim.model.validation import UserError, one_of
from sim.reporting.formulas import formula_in_html, symbols_in
from sim.reporting.style import BLUE, GREY, INK, ORANGE

POINTS: Final = 161
MOST_WHOLE: Final = 400
TRIED: Final = 24
"""Cases from a run among which a good one to begin with is searched."""
FLAG_WORDS: Final = {0: "no", 1: "yes"}


@dataclass(frozen=True)
class RuleCurve:
    """Results over a grid; NaN where the rule has no result. `steps` says that it jumps from value to value."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    steps: bool
    names: dict[int, str]


def applied(entry: RuleEntry, values: Mapping[str, float]) -> float:
    """The result of the rule for these values; NaN where it has none."""
    try:
        return float(entry.rule(**{one.name: one.typed(values[one.name]) for one in entry.arguments}))
    except (ArithmeticError, ValueError):
        return float("nan")


def curve(entry: RuleEntry, values: Mapping[str, float], over: str) -> RuleCurve:
    """The rule over the range of one argument, the others as given."""
    axis = entry.argument(over)
    xs = grid(axis, POINTS)
    ys = tuple(applied(entry, {**values, over: x}) for x in xs)
    return RuleCurve(xs, ys, entry.result_kind != "number" or axis.kind != "number", result_names(entry, ys))


def grid(one: RuleArgument, points: int) -> tuple[float, ...]:
    """Values over the range of an argument: all of them where there are few."""
    low, high = one.low, one.high
    if one.kind != "number" and high - low <= MOST_WHOLE:
        return tuple(low + k for k in range(int(high - low) + 1))
    values = [low + (high - low) * k / (points - 1) for k in range(points - 1)]
    return tuple(dict.fromkeys(one.clip(value) for value in (*values, high)))


def result_names(entry: RuleEntry, ys: Sequence[float]) -> dict[int, str]:
    """Words for the results, where they are yes or no or all have a name in the rule's module."""
    if entry.result_kind == "flag":
        return FLAG_WORDS
    if entry.result_kind != "whole":
        return {}
    space: dict[str, Any] = entry.rule.__globals__
    known = {
        value: name.lower().replace("_", " ")
        for name, value in space.items()
        if name.isupper() and type(value) is int and value >= 0
    }
    return known if set(ys) <= set(known) else {}


def worked_values(entry: RuleEntry) -> dict[str, float]:
    """The inputs of the rule's worked value."""
    return complete(entry, plain(entry.doc.worked))


def example_decision(entry: RuleEntry) -> Decision | None:
    """The case from the run in which most arguments matter; None where the rule was not applied in it."""
    tried = entry.decisions[:: max(1, len(entry.decisions) // TRIED)]

    def matters(one: Decision) -> int:
        values = complete(entry, plain(one.inputs))
        return sum(_spread(entry, values, each)[0] > 1 for each in entry.arguments)

    return max(tried, key=matters, default=None)


def complete(entry: RuleEntry, values: Mapping[str, float]) -> dict[str, float]:
    """A value for every argument, inside its range."""
    return {one.name: one.clip(values.get(one.name, (one.low + one.high) / 2.0)) for one in entry.arguments}


def best_over(entry: RuleEntry, values: Mapping[str, float]) -> str:
    """The argument over which the curve shows most; declared numbers come last."""

    def shows(one: RuleArgument) -> tuple[bool, bool, bool, float]:
        results, distance = _spread(entry, values, one)
        return results > 1, not one.keys, results > 2, distance

    return max(entry.arguments, key=shows).name


def _spread(entry: RuleEntry, values: Mapping[str, float], one: RuleArgument) -> tuple[int, float]:
    """How many different results an argument gives, and how far apart they are."""
    found = {applied(entry, {**values, one.name: x}) for x in grid(one, 9)}
    known = [y for y in found if math.isfinite(y)]
    return len(found), max(known) - min(known) if known else 0.0


class CurvePlot:
    """One figure of a session: the curve as set, the curve of the worked value, and the present call."""

    def __init__(self) -> None:
        self.now, self.worked, self.point = (ColumnDataSource({"x": [], "y": []}) for _ in range(3))
        self.pane = pn.pane.Bokeh(figure(height=10), min_width=0, **WIDE)
        self.shape: tuple[Any, ...] = ()

    def draw(
        self, entry: RuleEntry, over: RuleArgument, now: RuleCurve, worked: RuleCurve, point: tuple[float, float]
    ) -> None:
        """Draw these curves; the figure itself is rebuilt only where its axes change."""
        self.now.data = {"x": list(now.xs), "y": list(now.ys)}
        self.worked.data = {"x": list(worked.xs), "y": list(worked.ys)}
        self.point.data = {"x": [point[0]], "y": [point[1]]}
        shape = entry.key, over.name, tuple(now.names.items())
        if shape != self.shape:
            self.shape = shape
            self.pane.object = self._figure(entry, over, now)

    def _figure(self, entry: RuleEntry, over: RuleArgument, now: RuleCurve) -> Any:
        made = plain_figure(height=330, min_border_right=14)
        whole = over.kind != "number"
        drawer: Any = made.step if now.steps else made.line
        look: dict[str, Any] = {"mode": "center" if whole else "after"} if now.steps else {}
        dashed = look | {"color": GREY, "line_width": 2, "line_dash": "dashed", "legend_label": "worked value"}
        drawer("x", "y", source=self.worked, **dashed)
        drawer("x", "y", source=self.now, color=BLUE, line_width=3, legend_label="as set", **look)
        if whole and over.high - over.low <= 30:
            made.scatter("x", "y", source=self.now, color=BLUE, size=8, legend_label="as set")
        made.scatter("x", "y", source=self.point, color=ORANGE, line_color="white", size=14, legend_label="this call")
        _style(made)
        unit = f" ({over.unit})" if over.unit not in ("", "1") else ""
        made.xaxis.axis_label, made.yaxis.axis_label = over.name + unit, entry.name
        pad = (over.high - over.low) * 0.02 or 0.5
        made.x_range = Range1d(start=over.low - pad, end=over.high + pad)
        made.y_range = DataRange1d(range_padding=0.08)
        if now.names:
            made.y_range = Range1d(start=min(now.names) - 0.3, end=max(now.names) + 0.3)
        for axis, names in ((made.xaxis, FLAG_WORDS if over.kind == "flag" else {}), (made.yaxis, now.names)):
            if names:
                axis.ticker, axis.major_label_overrides = FixedTicker(ticks=sorted(names)), dict(names)
        return made


def _style(made: Any) -> None:
    quieten(made, "13px")
    axes, legend = made.axis, made.legend[0]
    axes.axis_label_text_color, axes.axis_label_text_font_size, axes.axis_label_text_font_style = INK, "14px", "normal"
    legend.orientation, legend.border_line_color, legend.background_fill_alpha = "horizontal", None, 0.0
    legend.label_text_font_size, legend.label_text_color = "13px", INK
    legend.margin, legend.padding, legend.spacing = 0, 4, 14
    made.add_layout(legend, "above")


FIRST = "militia.attack_rate"
"""The rule that is shown by default."""
RULE, OVER = "rule", "over"
MOST = 1e6
"""Largest number that a URL may set an argument without a declared range to."""


def page() -> pn.viewable.Viewable:
    """The page of one session."""
    return LearnPage(chapters(argument_ranges())).view()


def parse_rule(book: Iterable[RuleChapter], texts: Mapping[str, str]) -> tuple[RuleEntry, dict[str, float], str]:
    """The rule, the values and the argument along the axis that texts by key describe.

    Raises:
        UserError: a key is unknown or a value not allowed.
    """
    entries = {entry.key: entry for chapter in book for entry in chapter.entries}
    key = texts.get(RULE, FIRST if FIRST in entries else next(iter(entries)))
    if key not in entries:
        raise UserError(RULE, key, one_of(entries, key))
    entry = entries[key]
    names = [one.name for one in entry.arguments]
    for name in texts:
        if name not in (RULE, OVER, *names):
            raise UserError(name, texts[name], one_of((RULE, OVER, *names), name))
    given = {one.name: _parse_value(one, texts[one.name]) for one in entry.arguments if one.name in texts}
    including = (one.including(given.get(one.name, one.low)) for one in entry.arguments)
    entry = replace(entry, arguments=tuple(including))
    values = worked_values(entry) | given
    over = texts.get(OVER, best_over(entry, values))
    if over not in names:
        raise UserError(OVER, over, one_of(names, over))
    return entry, values, over


def _parse_value(one: RuleArgument, text: str) -> float:
    """A value from a URL. A declared number must lie in its range; other ranges hold only values seen so far."""
    low, high = (one.low, one.high) if one.keys or one.kind == "flag" or one.name == "draw" else (-MOST, MOST)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    room = (high - low) * 1e-3  # URLs hold four digits
    if not low - room <= value <= high + room:
        raise UserError(one.name, text, f"a number from {number(low)} to {number(high)}")
    return replace(one, low=low, high=high).clip(value)


class LearnPage:
    """What one visitor sees."""

    def __init__(self, book: tuple[RuleChapter, ...]) -> None:
        self.book, self.url, self.plot = book, UrlBar(), CurvePlot()
        self.entries = {entry.key: entry for chapter in book for entry in chapter.entries}
        mistake: UserError | None = None
        try:
            self.entry, self.values, self.over = parse_rule(book, url_settings())
        except UserError as problem:
            self.entry, self.values, self.over = parse_rule(book, {})
            mistake = problem
        self.sliders: dict[str, Any] = {}
        self.quiet = False
        self._build()
        self.show(self.entry, self.values, self.over)
        if mistake is not None:
            self.problem.object = complaint(mistake)

    def _build(self) -> None:
        self.search = field(
            pn.widgets.TextInput, "Find rules by words", placeholder="fear, F05, half-life, control ..."
        )
        groups = {one.name: {entry.name: entry.key for entry in one.entries} for one in self.book}
        self.pick = field(pn.widgets.Select, "Rule", groups=groups, value=self.entry.key)
        self.back, self.next = button("Previous rule"), button("Next rule")
        self.axis = field(pn.widgets.Select, "Drawn over", options=[self.over])
        self.as_worked, self.as_run = button("As in the worked value"), button("As in a run")
        self.problem, self.found, self.heading, self.result = html(), html(), html(), html()
        self.description, self.details, self.origin = html(), html(), html()
        self.panel = pn.Column(**WIDE)
        self.search.param.watch(lambda event: self._search(event.new), "value_input")
        self.pick.param.watch(lambda event: self._pick(event.new), "value")
        self.back.on_click(lambda _: self._step(-1))
        self.next.on_click(lambda _: self._step(1))
        self.axis.param.watch(lambda event: self._draw_over(event.new), "value")
        self.as_worked.on_click(lambda _: self._set(worked_values(self.entry)))
        self.as_run.on_click(lambda _: self._set_as_in_run())

    def view(self) -> pn.viewable.Viewable:
        """The widgets in their places: side by side where there is room, else below."""
        steps = share(row(self.back, self.next, gap="0.5rem"), "0 1 17rem")
        head = row(share(self.pick, "2 1 14rem"), steps, share(self.search, "3 1 16rem"), gap="0.5rem 0.75rem")
        chart = pn.Column(self.axis, self.plot.pane, self.description, **WIDE)
        sliders = pn.Column(self.panel, row(self.as_worked, self.as_run), self.origin, **WIDE)
        bench = row(share(chart, "3 1 21rem"), share(sliders, "2 1 18rem"), gap="1.5rem", align="flex-start")
        index = html(_piece("index", self.book, day_steps(), {entry.rule: entry for entry in self.entries.values()}))
        return pn.Column(
            head, self.found, self.problem, self.heading, self.result, bench, self.details, index, self.url.part,
            **WIDE,
        )  # fmt: skip

    def show(self, entry: RuleEntry, values: Mapping[str, float], over: str) -> None:
        """Show a rule with these values."""
        self.entry, self.values, self.over = entry, dict(values), over
        self.quiet = True
        self.pick.value = entry.key
        self.axis.options = [one.name for one in entry.arguments]
        self.axis.value = over
        self.sliders = {one.name: slider_of(one, self.values[one.name]) for one in entry.arguments}
        for name, one in self.sliders.items():
            one.param.watch(lambda event, name=name: self._slide(name, event.new), "value")
        self.panel.objects = list(self.sliders.values())
        self.as_run.disabled = not entry.decisions
        self.quiet = False
        self.heading.object = _piece("heading", entry)
        self.details.object = details(entry)
        self.origin.object = ""
        self._draw()

    def _draw(self) -> None:
        over, entry = self.entry.argument(self.over), self.entry
        now, worked = curve(entry, self.values, self.over), curve(entry, worked_values(entry), self.over)
        gives = applied(entry, self.values)
        self.plot.draw(entry, over, now, worked, (self.values[self.over], gives))
        call = ", ".join(f"{one.name}={shown(one, self.values[one.name])}" for one in entry.arguments)
        self.result.object = _piece("result", entry, call, outcome(gives, result_names(entry, (gives,))))
        self.description.object = described(over, now)

    def texts(self) -> dict[str, str]:
        """What is shown, as texts for the URL."""
        return {RULE: self.entry.key, OVER: self.over, **{name: number(value) for name, value in self.values.items()}}

    def _search(self, text: str) -> None:
        found = [entry for entry in self.entries.values() if entry.matches(text)]
        self.found.object = _piece("found", found, len(self.entries)) if text.strip() else ""

    def _pick(self, key: str) -> None:
        if not self.quiet:
            self._open(self.entries[key])

    def _draw_over(self, name: str) -> None:
        if not self.quiet:
            self.over = name
            self._draw()
            self.url.show(self.texts())

    def _step(self, way: int) -> None:
        keys = list(self.entries)
        self._open(self.entries[keys[(keys.index(self.entry.key) + way) % len(keys)]])

    def _open(self, entry: RuleEntry) -> None:
        values = worked_values(entry)
        self.problem.object = ""
        self.show(entry, values, best_over(entry, values))
        self.url.show({RULE: entry.key}, step=True)

    def _change(self, values: Mapping[str, float]) -> None:
        self.values, self.origin.object = dict(values), ""
        self._draw()
        self.url.show(self.texts())

    def _slide(self, name: str, value: float | bool) -> None:
        if not self.quiet:
            self._change(self.values | {name: self.entry.argument(name).clip(value)})

    def _set(self, values: Mapping[str, float]) -> None:
        self.quiet = True
        for name, one in self.sliders.items():
            one.value = self.entry.argument(name).typed(values[name])
        self.quiet = False
        self._change(values)

    def _set_as_in_run(self) -> None:
        if (decision := example_decision(self.entry)) is not None:
            self._set(complete(self.entry, plain(decision.inputs)))
            self.origin.object = origin(decision)


def slider_of(one: RuleArgument, value: float) -> Any:
    """The widget that changes an argument."""
    if one.kind == "flag":
        # Panel's tick box has no name that a screen reader could say; a list has.
        return field(pn.widgets.Select, one.name, options={"no": False, "yes": True}, value=bool(value))
    close: dict[str, Any] = {"margin": (0, 10, 6, 10), "value": one.typed(value)}
    if one.kind == "whole":
        return field(pn.widgets.IntSlider, one.name, start=int(one.low), end=int(one.high), **close)
    step = (one.high - one.low) / 200.0
    return field(pn.widgets.FloatSlider, one.name, start=one.low, end=one.high, step=step, format="0[.]000[0]", **close)


# --- a rule in words ----------------------------------------------------------------------------------------

_FACT: Final = re.compile(r"\bF\d\d\b")


def _piece(name: str, *values: object) -> str:
    return pieces("learn/rule.html.j2", name, *values, link=link, span=span, formula=formula_in_html)


def link(entry: RuleEntry) -> str:
    """The URL of a rule on this page."""
    return "learn?" + urlencode({RULE: entry.key})


def number(value: float) -> str:
    """A number with four digits.

    >>> number(0.123456), number(3.0), number(2.0**-20)
    ('0.1235', '3', '9.537e-07')
    """
    return f"{value:.4g}"


def shown(argument: RuleArgument, value: float) -> str:
    """A value of an argument in words."""
    return FLAG_WORDS[int(value)] if argument.kind == "flag" else number(value)


def span(one: RuleArgument) -> str:
    """The range of an argument, with its unit."""
    if one.kind == "flag":
        return "no or yes"
    unit = f" {one.unit}" if one.unit not in ("", "1") else ""
    return f"{number(one.low)} to {number(one.high)}{unit}"


def outcome(value: float, names: Mapping[int, str]) -> str:
    """A result, by its name where it has one.

    >>> outcome(2.5, {}), outcome(1.0, {0: "nothing", 1: "struck"}), outcome(float("nan"), {})
    ('2.5', '1 (struck)', 'no number')
    """
    if math.isnan(value):
        return "no number"
    return f"{number(value)} ({names[int(value)]})" if value in names else number(value)


def described(over: RuleArgument, drawn: RuleCurve) -> str:
    """The curve in a sentence, for readers who cannot see it."""
    ends = (shown(over, drawn.xs[0]), shown(over, drawn.xs[-1]))
    results = (outcome(drawn.ys[0], drawn.names), outcome(drawn.ys[-1], drawn.names))
    known = [y for y in drawn.ys if not math.isnan(y)] or [math.nan]
    return _piece("described", over.name, *ends, *results, number(min(known)), number(max(known)))


def details(entry: RuleEntry) -> str:
    """Arguments, symbols, units, source, worked value, step of the day and source text."""
    facts = {fact.id: fact.text for fact in load_facts()}
    cited = {name: facts[name] for name in _FACT.findall(entry.doc.source) if name in facts}
    return _piece("details", entry, symbols_in(entry.doc.formula), cited, day_steps(), steps_of(entry.rule))


def origin(decision: Decision) -> str:
    """The day and run that a case comes from, with a link to it."""
    day = max(decision.day, 0)
    url = "play?" + urlencode({"scenario": "article", "run": RUN, "seed": SEED, "day": day})
    return _piece("origin", decision.actor, day, RUN, url)
