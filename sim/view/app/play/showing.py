"""The page: choose a history, step or play through it, see and read every day."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final

import panel as pn

from sim.view.app.frame import complaint, html
from sim.view.app.link import Link, asked
from sim.view.app.parts import WIDE, button, field, row, share
from sim.view.app.play import words
from sim.view.app.play.asking import Asked, asked_for, day_in, questions, run_in, seed_in
from sim.view.app.play.days import days_of
from sim.view.app.play.drawing import Line, Picture
from sim.view.app.play.history import History
from sim.world.errors import UserError

SPEEDS: Final = {"1 day a second": 1000, "2 days a second": 500, "5 days a second": 200, "10 days a second": 100}
BEFORE_OTHERS: Final = 10
"""Days that are lived in a row before other visitors get their turn."""


def page() -> pn.viewable.Viewable:
    """The page for one visitor."""
    return Play().view()


class Play:
    """What one visitor sees, and the history that lives behind it."""

    def __init__(self) -> None:
        self.link = Link()
        self.picture, self.line = Picture(), Line(self._click)
        self.quiet, self.ticket = False, object()
        mistake: UserError | None = None
        try:
            wanted = asked_for(asked())
        except UserError as problem:
            wanted, mistake = Asked(), problem
        self.history = History(wanted)
        self.day = self.history.reach(wanted.day)
        self._build()
        self._opened()
        if mistake is not None:
            self._complain(mistake)
        elif self.day < wanted.day:
            self._complain(UserError("day", wanted.day, f"0 to {self.day}, on which direct war broke out"))

    def _build(self) -> None:
        asked_now = self.history.asked
        self.scenario = field(pn.widgets.Select, "Scenario", options=list(questions()), value=asked_now.scenario)
        self.run = field(pn.widgets.TextInput, "Run", value=str(asked_now.run))
        self.seed = field(pn.widgets.TextInput, "Seed", value=str(asked_now.seed))
        self.goal = field(pn.widgets.TextInput, "Go to day", value=str(self.day))
        self.speed = field(pn.widgets.Select, "Speed", options=SPEEDS, value=500)
        self.first, self.back, self.forth = button("First"), button("Back"), button("Step")
        self.play, self.event = button("Play", button_type="primary"), button("Next event")
        self.problem, self.question, self.heading, self.said = html(""), html(""), html(""), html("")
        self.legend, self.tables = html(""), html("")
        self.clock = pn.state.add_periodic_callback(self._tick, period=self.speed.value, start=False)
        self.scenario.param.watch(lambda event: self._ask("scenario", event.new), "value")
        self.run.param.watch(lambda event: self._ask("run", event.new), "value")
        self.seed.param.watch(lambda event: self._ask("seed", event.new), "value")
        self.goal.param.watch(lambda event: self._go_to(event.new), "value")
        self.speed.param.watch(lambda event: self._set_speed(event.new), "value")
        self.first.on_click(lambda _: self._by_hand(0))
        self.back.on_click(lambda _: self._by_hand(self.day - 1))
        self.forth.on_click(lambda _: self._by_hand(self.day + 1))
        self.event.on_click(lambda _: self._to_event())
        self.play.on_click(lambda _: self._toggle())

    def view(self) -> pn.viewable.Viewable:
        """Everything in its place: beside each other where there is room, else below."""
        who = row(share(self.scenario, "3 1 14rem"), share(self.run, "2 1 9rem"), share(self.seed, "1 1 6rem"))
        buttons = row(self.first, self.back, self.play, self.forth, self.event, gap="0.3rem")
        when = row(share(self.goal, "1 1 6rem"), share(self.speed, "1 1 9rem"))
        steer = row(share(buttons, "3 1 21rem"), share(when, "2 1 16rem"))
        read = pn.Column(self.said, self.legend, **WIDE)
        stage = row(share(self.picture.pane, "3 1 21rem"), share(read, "2 1 18rem"), gap="1.5rem", align="flex-start")
        return pn.Column(
            who, self.question, self.problem, steer, self.heading, self.line.pane, stage, self.tables,
            self.link.part, **WIDE,
        )  # fmt: skip

    def _opened(self) -> None:
        """Show what stays the same while a history is shown, then its day."""
        cast = self.history.scenario.cast
        self.question.object = words.question(self.history)
        self.legend.object = words.legend(cast)
        self._show(self.day)

    def _show(self, day: int) -> None:
        """Show a day that was lived."""
        self.day = day
        history, evening = self.history, self.history.evening(day)
        self.picture.draw(history.scenario.cast, evening)
        self.line.draw(history.scenario.calendar, days_of(history), day)
        self.heading.object = words.heading(history, evening)
        self.said.object = words.messages(history, evening)
        self.tables.object = words.tables(history, evening)
        over = history.ended and day == history.lived - 1
        self.first.disabled = self.back.disabled = day == 0
        self.forth.disabled = self.event.disabled = over
        self._fill(self.goal, str(day))
        if over:
            self._pause()

    def _fill(self, field: Any, text: str) -> None:
        """Put text into a field without taking it for something that the visitor typed."""
        self.quiet = True
        field.value = text
        self.quiet = False

    def _note(self, step: bool = False) -> None:
        """Let the address say what is shown."""
        self.link.show(replace(self.history.asked, day=self.day).settings(), step)

    def _complain(self, problem: UserError | None) -> None:
        self.problem.object = "" if problem is None else complaint(problem)

    def _understood(self, read: Callable[[], Any]) -> Any:
        """What was asked for, or None where it cannot be had, which is then said."""
        try:
            found = read()
        except UserError as problem:
            self._complain(problem)
            return None
        self._complain(None)
        return found

    def _ask(self, key: str, text: str) -> None:
        """Open another history on the same day, as far as it goes."""
        if self.quiet:
            return
        now = self.history.asked
        readers: dict[str, Callable[[], Asked]] = {
            "scenario": lambda: replace(now, scenario=text),
            "run": lambda: replace(now, run=run_in(text)),
            "seed": lambda: replace(now, seed=seed_in(text)),
        }
        wanted = self._understood(readers[key])
        if wanted is not None and wanted != now:
            self._pause()
            self.ticket = object()
            self.history = History(wanted)
            self.day = self.history.reach(self.day)
            self._soon(self._reopened)

    def _reopened(self) -> None:
        self._opened()
        self._note(step=True)

    def _go_to(self, text: str) -> None:
        if not self.quiet:
            day = self._understood(lambda: day_in(text, self.history.scenario.calendar.days))
            if day is not None:
                self._by_hand(day)

    def _click(self, day: int) -> None:
        """Go to a day on the line; only days that were lived are drawn there."""
        self._by_hand(max(0, min(day, self.history.lived - 1)))

    def _by_hand(self, day: int) -> None:
        self._pause()
        self._travel(lambda: self._reach(day))

    def _to_event(self) -> None:
        self._pause()
        self._travel(self._find)

    def _travel(self, way: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Live on in turns with other visitors; whatever is asked for later takes over."""
        self.ticket = object()
        self._soon(way)

    def _soon(self, act: Callable[[], Any]) -> None:
        """Change the page in a tick of the document's own: it holds the lock, which Enter in a field does not."""
        if (document := pn.state.curdoc) is not None:
            document.add_next_tick_callback(act)
        elif (way := act()) is not None:
            asyncio.run(way)

    async def _reach(self, day: int) -> None:
        history, ticket = self.history, self.ticket
        while history.lived <= day and not history.ended:
            history.reach(min(day, history.lived + BEFORE_OTHERS - 1))
            await asyncio.sleep(0)
            if ticket is not self.ticket:
                return
        self._show(max(0, min(day, history.lived - 1)))
        self._note()

    async def _find(self) -> None:
        history, ticket, later = self.history, self.ticket, self.day + 1
        while history.reach(later) == later and not history.of_note(later):
            later += 1
            if later % BEFORE_OTHERS == 0:
                await asyncio.sleep(0)
                if ticket is not self.ticket:
                    return
        self._show(min(later, history.lived - 1))
        self._note()

    def _toggle(self) -> None:
        if self.clock.running:
            self._pause()
            self._note()
        else:
            self.ticket = object()
            self.play.name = "Pause"
            self.clock.start()

    def _pause(self) -> None:
        if self.clock.running:
            self.clock.stop()
        self.play.name = "Play"

    def _tick(self) -> None:
        later = self.day + 1
        if self.history.reach(later) == later:
            self._show(later)
        if self.history.ended and self.day == self.history.lived - 1:
            self._pause()
            self._note()

    def _set_speed(self, period: int) -> None:
        self.clock.period = period
