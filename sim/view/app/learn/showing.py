"""The page: choose a rule, move its arguments, see what it gives."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import panel as pn

from sim.view.app.frame import complaint, html
from sim.view.app.learn import words
from sim.view.app.learn.curves import applied, argument, best_over, case, complete, curve, names_of, start
from sim.view.app.learn.entries import Argument, Chapter, Entry, chapters, plain
from sim.view.app.learn.evidence import evidence
from sim.view.app.learn.picture import Picture
from sim.view.app.link import Link, asked
from sim.view.app.parts import WIDE, button, field, row, share
from sim.world.errors import UserError, one_of

FIRST = "militia.attack_rate"
"""The rule that is shown to whoever asks for none."""
RULE, OVER = "rule", "over"
MOST = 1e6
"""Largest number that an address may give for an argument without a declared range."""


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
    given = {one.name: _read(one, settings[one.name]) for one in entry.arguments if one.name in settings}
    reaching = (one.reaching(given.get(one.name, one.low)) for one in entry.arguments)
    entry = replace(entry, arguments=tuple(reaching))
    begin = start(entry)
    values = {**begin.values, **given}
    over = settings.get(OVER, best_over(entry, values) if given else begin.over)
    if over not in names:
        raise UserError(OVER, over, one_of(names, over))
    return entry, values, over


def _read(one: Argument, text: str) -> float:
    """A value from an address. A declared number stays inside its range; other ranges are only what was seen so far."""
    low, high = (one.low, one.high) if one.keys or one.kind == "flag" or one.name == "draw" else (-MOST, MOST)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    room = (high - low) * 1e-3  # addresses hold four digits
    if not low - room <= value <= high + room:
        raise UserError(one.name, text, f"a number from {words.number(low)} to {words.number(high)}")
    inside = min(max(value, low), high)
    return inside if one.kind == "number" else float(round(inside))


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
        self.find = field(pn.widgets.TextInput, "Find rules by words", placeholder="fear, F05, half-life, control ...")
        groups = {one.name: {entry.name: entry.key for entry in one.entries} for one in self.book}
        self.pick = field(pn.widgets.Select, "Rule", groups=groups, value=self.entry.key)
        self.back, self.next = button("Previous rule"), button("Next rule")
        self.axis = field(pn.widgets.Select, "Drawn over", options=[self.over])
        self.as_worked, self.as_lived = button("As in the worked value"), button("As in a history")
        self.problem, self.found = html(""), html("")
        self.heading, self.result, self.spoken, self.details = html(""), html(""), html(""), html("")
        self.came = html("")
        self.sliders = pn.Column(**WIDE)
        self.find.param.watch(lambda event: self._search(event.new), "value_input")
        self.pick.param.watch(lambda event: self._pick(event.new), "value")
        self.back.on_click(lambda _: self._move(-1))
        self.next.on_click(lambda _: self._move(1))
        self.axis.param.watch(lambda event: self._turn(event.new), "value")
        self.as_worked.on_click(lambda _: self._set(start(self.entry).values))
        self.as_lived.on_click(lambda _: self._as_lived())

    def view(self) -> pn.viewable.Viewable:
        """Everything in its place: beside each other where there is room, else below."""
        steps = share(row(self.back, self.next, gap="0.5rem"), "0 1 17rem")
        head = row(share(self.pick, "2 1 14rem"), steps, share(self.find, "3 1 16rem"), gap="0.5rem 0.75rem")
        chart = pn.Column(self.axis, self.picture.pane, self.spoken, **WIDE)
        dials = pn.Column(self.sliders, row(self.as_worked, self.as_lived), self.came, **WIDE)
        bench = row(share(chart, "3 1 21rem"), share(dials, "2 1 18rem"), gap="1.5rem", align="flex-start")
        book = html(words.index(self.book))
        return pn.Column(
            head, self.found, self.problem, self.heading, self.result, bench, self.details, book, self.link.part, **WIDE
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
        self.problem.object = complaint(problem)


def dial(one: Argument, value: float) -> Any:
    """What moves an argument."""
    if one.kind == "flag":
        # A box of Panel's to tick has no name that a screen reader could say; a list has.
        return field(pn.widgets.Select, one.name, options={"no": False, "yes": True}, value=bool(value))
    close: dict[str, Any] = {"margin": (0, 10, 6, 10), "value": one.typed(value)}
    if one.kind == "whole":
        return field(pn.widgets.IntSlider, one.name, start=int(one.low), end=int(one.high), **close)
    step = (one.high - one.low) / 200.0
    return field(pn.widgets.FloatSlider, one.name, start=one.low, end=one.high, step=step, format="0[.]000[0]", **close)
