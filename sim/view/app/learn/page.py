"""The page: choose a rule, move its arguments, see what it gives."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import panel as pn

from sim.view.app.frame import html
from sim.view.app.learn import words
from sim.view.app.learn.curves import applied, argument, best_over, case, complete, curve, names_of, start
from sim.view.app.learn.entries import Argument, Chapter, Entry, chapters, plain
from sim.view.app.learn.evidence import evidence
from sim.view.app.learn.picture import Picture
from sim.view.app.link import Link, asked
from sim.world.errors import UserError, one_of

FIRST = "militia.attack_rate"
"""The rule that is shown to whoever asks for none."""
RULE, OVER = "rule", "over"


def page() -> pn.viewable.Viewable:
    """The page for one visitor."""
    return Learn(chapters(evidence())).view()


def chosen(book: Iterable[Chapter], settings: Mapping[str, str]) -> tuple[Entry, dict[str, float], str]:
    """The rule, the values and the argument to draw over that an address asks for.

    Raises:
        UserError: it asks for what there is not.
    """
    entries = {entry.key: entry for chapter in book for entry in chapter.entries}
    key = settings.get(RULE, FIRST if FIRST in entries else next(iter(entries)))
    if key not in entries:
        raise UserError(RULE, key, one_of(entries, key))
    entry = entries[key]
    names = [one.name for one in entry.arguments]
    for name in settings:
        if name not in (RULE, OVER, *names):
            raise UserError(name, settings[name], one_of((RULE, OVER, *names), name))
    begin = start(entry)
    given = {one.name: _read(one, settings[one.name]) for one in entry.arguments if one.name in settings}
    values = {**begin.values, **given}
    over = settings.get(OVER, best_over(entry, values) if given else begin.over)
    if over not in names:
        raise UserError(OVER, over, one_of(names, over))
    return entry, values, over


def _read(one: Argument, text: str) -> float:
    allowed = f"a number from {words.number(one.low)} to {words.number(one.high)}"
    try:
        value = float(text)
    except ValueError:
        raise UserError(one.name, text, allowed) from None
    room = (one.high - one.low) * 1e-3  # addresses hold four digits
    if not math.isfinite(value) or not one.low - room <= value <= one.high + room:
        raise UserError(one.name, text, allowed)
    return one.cut(value)


class Learn:
    """What one visitor sees."""

    def __init__(self, book: tuple[Chapter, ...]) -> None:
        self.book, self.link, self.picture = book, Link(), Picture()
        self.entries = {entry.key: entry for chapter in book for entry in chapter.entries}
        self.entry, self.values, self.over = chosen(book, {})
        self.dials: dict[str, Any] = {}
        self.quiet = False
        self._build()
        try:
            self.show(*chosen(book, asked()))
        except UserError as problem:
            self.show(self.entry, self.values, self.over)
            self._complain(problem)

    def _build(self) -> None:
        self.find = pn.widgets.TextInput(name="Find rules by words", placeholder="fear, F05, half-life, control ...")
        groups = {one.name: {entry.name: entry.key for entry in one.entries} for one in self.book}
        self.pick = pn.widgets.Select(name="Rule", groups=groups, value=self.entry.key)
        self.back = pn.widgets.Button(name="Previous rule")
        self.next = pn.widgets.Button(name="Next rule")
        self.axis = pn.widgets.Select(name="Drawn over", options=[self.over])
        self.as_worked = pn.widgets.Button(name="As in the worked value")
        self.as_lived = pn.widgets.Button(name="As in a history")
        self.problem, self.found = html(""), html("")
        self.heading, self.result, self.spoken, self.details = html(""), html(""), html(""), html("")
        self.came = html("")
        self.sliders = pn.Column(sizing_mode="stretch_width", margin=0)
        self.find.param.watch(lambda event: self._search(event.new), "value_input")
        self.pick.param.watch(lambda event: self._pick(event.new), "value")
        self.back.on_click(lambda _: self._move(-1))
        self.next.on_click(lambda _: self._move(1))
        self.axis.param.watch(lambda event: self._turn(event.new), "value")
        self.as_worked.on_click(lambda _: self._set(start(self.entry).values))
        self.as_lived.on_click(lambda _: self._as_lived())

    def view(self) -> pn.viewable.Viewable:
        """Everything in its place: beside each other where there is room, else below."""
        wide = {"sizing_mode": "stretch_width", "margin": 0}
        half = {"flex": "1 1 20rem", "min-width": "0"}
        head = pn.FlexBox(
            pn.Column(self.find, styles=half, margin=0), pn.Column(self.pick, styles=half, margin=0), gap="1rem", **wide
        )
        steps = pn.FlexBox(self.back, self.next, gap="0.5rem", **wide)
        chart = pn.Column(
            self.axis, self.picture.pane, self.spoken, margin=0, styles={"flex": "3 1 24rem", "min-width": "0"}
        )
        dials = pn.Column(
            self.sliders, pn.FlexBox(self.as_worked, self.as_lived, gap="0.5rem", **wide), self.came, margin=0,
            styles={"flex": "2 1 18rem", "min-width": "0"},
        )  # fmt: skip
        bench = pn.FlexBox(chart, dials, gap="1.5rem", align_items="flex-start", **wide)
        book = html(words.index(self.book))
        return pn.Column(
            head,
            self.found,
            self.problem,
            steps,
            self.heading,
            self.result,
            bench,
            self.details,
            book,
            self.link.part,
            **wide,
        )

    def show(self, entry: Entry, values: Mapping[str, float], over: str) -> None:
        """Show a rule with these values."""
        self.entry, self.values, self.over = entry, dict(values), over
        self.quiet = True
        self.pick.value = entry.key
        self.axis.options = [one.name for one in entry.arguments]
        self.axis.value = over
        self.dials = {one.name: dial(one, self.values[one.name]) for one in entry.arguments}
        for name, one in self.dials.items():
            one.param.watch(lambda event, name=name: self._moved(name, event.new), "value")
        self.sliders.objects = list(self.dials.values())
        self.as_lived.disabled = case(entry) is None
        self.quiet = False
        self.heading.object = words.heading(entry)
        self.details.object = words.details(entry)
        self.came.object = ""
        self._draw()

    def _draw(self) -> None:
        over, entry = argument(self.entry, self.over), self.entry
        now, begin = curve(entry, self.values, self.over), curve(entry, start(entry).values, self.over)
        gives = applied(entry, self.values)
        self.picture.draw(entry, over, now, begin, (self.values[self.over], gives))
        self.result.object = words.result(entry, self.values, gives, names_of(entry, (gives,)))
        self.spoken.object = words.described(over, now)

    def settings(self) -> dict[str, str]:
        """What the address says of what is shown."""
        values = {name: words.number(value) for name, value in self.values.items()}
        return {RULE: self.entry.key, OVER: self.over, **values}

    def _search(self, text: str) -> None:
        left = (entry for entry in self.entries.values() if entry.matches(text))
        self.found.object = words.found(left, len(self.entries)) if text.strip() else ""

    def _pick(self, key: str) -> None:
        if not self.quiet:
            self._open(self.entries[key])

    def _move(self, way: int) -> None:
        keys = list(self.entries)
        self._open(self.entries[keys[(keys.index(self.entry.key) + way) % len(keys)]])

    def _open(self, entry: Entry) -> None:
        begin = start(entry)
        self.problem.object = ""
        self.show(entry, begin.values, begin.over)
        self.link.show({RULE: entry.key}, step=True)

    def _turn(self, over: str) -> None:
        if not self.quiet:
            self.over = over
            self._draw()
            self.link.show(self.settings())

    def _moved(self, name: str, value: float | bool) -> None:
        if not self.quiet:
            self.values[name] = argument(self.entry, name).cut(value)
            self.came.object = ""
            self._draw()
            self.link.show(self.settings())

    def _set(self, values: Mapping[str, float]) -> None:
        self.quiet = True
        for name, one in self.dials.items():
            one.value = argument(self.entry, name).typed(values[name])
        self.quiet = False
        self.values = dict(values)
        self.came.object = ""
        self._draw()
        self.link.show(self.settings())

    def _as_lived(self) -> None:
        if (one := case(self.entry)) is not None:
            self._set(complete(self.entry, plain(one.inputs)))
            self.came.object = words.lived(one)

    def _complain(self, problem: UserError) -> None:
        self.problem.object = words.complaint(problem)


def dial(one: Argument, value: float) -> Any:
    """What moves an argument."""
    wide: dict[str, Any] = {"name": one.name, "sizing_mode": "stretch_width", "margin": (2, 12, 8, 6)}
    if one.kind == "flag":
        return pn.widgets.Checkbox(value=bool(value), **wide)
    if one.kind == "whole":
        return pn.widgets.IntSlider(start=int(one.low), end=int(one.high), value=int(value), **wide)
    step = (one.high - one.low) / 200.0
    return pn.widgets.FloatSlider(start=one.low, end=one.high, value=value, step=step, format="0[.]000[0]", **wide)
