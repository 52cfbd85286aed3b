"""One visit to the page: what the browser asks for is handed to workers, and what they find is put on the page.

Only the newest of what is asked for is worked on. Workers never touch the page; the visitor's own turn does.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import panel as pn
from bokeh.document import Document

from sim.study.live.desk import Desk, Shown
from sim.study.live.file import opened
from sim.study.live.link import Asked, asked_of, usual
from sim.study.patterns import Verdict
from sim.view.app.explore import tables
from sim.view.app.explore.chart import FanChart
from sim.view.app.explore.controls import Controls, form_of, state_of
from sim.view.app.explore.reproduce import take_away
from sim.view.app.frame import complaint, html
from sim.view.app.link import Link
from sim.view.app.link import asked as asked_by_address
from sim.view.plots import headline
from sim.world.errors import UserError

PAUSE: Final = 400
"""Milliseconds of rest after which patterns that take longer are judged."""

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """What the browser asks for: how to read it, and the number of its message (0: the page itself)."""

    read: Callable[[], Asked]
    serial: int


class Visitor:
    """The page of one visitor. Nothing of it is shared but the desk."""

    def __init__(self, desk: Desk, document: Document | None) -> None:
        self.desk = desk
        self.document = document
        self.message = html("", visible=False)
        self.title = html("")
        self.key = html("")
        self.legend = html("", css_classes=["legend"])
        self.numbers = html("")
        self.verdicts = html("")
        self.away = html("")
        self.link = Link()
        self.drawing = pn.Column(sizing_mode="stretch_width", margin=0)
        first = usual(desk.ground)
        config = desk.ground.config(first.a)
        form, state = form_of(desk.ground, config), state_of(desk.ground, first, 0)
        self.controls = Controls(form=form, state=state, sizing_mode="stretch_width", margin=0)
        self.chart: FanChart | None = None
        self._next_chart: FanChart | None = None
        self.shown: Shown | None = None
        self._wish: Wish | None = None
        self._working = False
        self.controls.param.watch(self._asked, "asked")
        self.controls.param.watch(self._uploaded, "upload")

    def begin(self) -> None:
        """Show what the address asks for."""
        try:
            texts = asked_by_address()
        except UserError as mistake:
            self._mistaken(mistake, 0)
            texts = {}
        self._want(Wish(lambda: asked_of(self.desk.ground, texts), 0))

    def leave(self) -> None:
        """Have nothing done any more for somebody who is gone."""
        self._wish = self.document = None

    def _asked(self, event: Any) -> None:
        texts = _texts(event.new)
        self._want(Wish(lambda: asked_of(self.desk.ground, texts), _serial(event.new)))

    def _uploaded(self, event: Any) -> None:
        texts, text, to_b = _texts(event.new), str(event.new.get("text", "")), event.new.get("side") == "b"

        def read() -> Asked:
            before = asked_of(self.desk.ground, texts)
            settings = opened(self.desk.ground, text)
            return Asked(before.a, settings, before.seed) if to_b else Asked(settings, before.b, before.seed)

        self._want(Wish(read, _serial(event.new)))

    def _want(self, wish: Wish) -> None:
        self._wish = wish
        if not self._working:
            self._begin_work()

    def _begin_work(self) -> None:
        wish = self._wish
        if wish is None:
            return
        self._working = True
        self.desk.quick.submit(self._work, wish)

    def _work(self, wish: Wish) -> None:
        """A worker's part: live what is wished for, then have it shown."""
        found: Shown | UserError
        try:
            found = self.desk.show(wish.read())
            # Figures take a while to make, and nobody else should wait for it.
            if self.chart is None or not self.chart.fits(found.a.config):
                self._next_chart = FanChart(found.a.config)
        except UserError as mistake:
            found = mistake
        except Exception:
            _LOG.exception("what was asked for could not be shown")
            found = UserError("page", "a mistake of the program", "other settings; the terminal tells more")
        self._soon(lambda: self._worked(wish, found))

    def _soon(self, act: Callable[[], None]) -> None:
        if self.document is not None:
            self.document.add_next_tick_callback(act)

    def _worked(self, wish: Wish, found: Shown | UserError) -> None:
        self._working = False
        if isinstance(found, UserError):
            self._mistaken(found, wish.serial)
            if self.shown is None:
                self._want(Wish(lambda: usual(self.desk.ground), wish.serial))
                return
            self.controls.state = state_of(self.desk.ground, self.shown.asked, wish.serial)
        else:
            if wish.serial:
                self.message.visible = False
            with pn.io.hold():
                self._show(found, wish.serial)
        if wish is not self._wish:
            self._begin_work()
        elif self.document is not None:
            self.document.add_timeout_callback(lambda: self._judge(wish), PAUSE)

    def _show(self, shown: Shown, serial: int) -> None:
        self.shown = shown
        config = shown.a.config
        if self._next_chart is not None:
            self.chart, self._next_chart = self._next_chart, None
            # Another case has other names.
            self.controls.form = form_of(self.desk.ground, config)
            self.chart.show(shown)
            self.drawing[:] = [pn.pane.Bokeh(self.chart.part, sizing_mode="stretch_width", margin=0)]
        elif self.chart is not None:
            self.chart.show(shown)
        told = headline(shown.a.data, config.scenario)
        self.title.object = f"<h2 aria-live='polite'>{escape(f'A: {told}' if shown.b else told)}</h2>"
        self.legend.object = tables.legend(config, shown.b is not None)
        self.key.object = tables.key_figures(shown)
        self.numbers.object = tables.pair(shown) + tables.outcomes(shown.a, _side(shown))
        self.verdicts.object = tables.patterns(config, shown.verdicts, _side(shown))
        self.away.object = take_away(self.desk.ground, shown.asked)
        self.controls.state = state_of(self.desk.ground, shown.asked, serial)
        self.link.show(shown.asked.texts(self.desk.ground))

    def _judge(self, wish: Wish) -> None:
        """Have the patterns judged that take longer, unless the visitor has moved on."""
        if wish is self._wish and self.shown is not None:
            self.desk.patient.submit(self._judging, wish, self.shown)

    def _judging(self, wish: Wish, shown: Shown) -> None:
        verdicts = list(shown.verdicts)
        for verdict in self.desk.judge(shown, lambda: wish is not self._wish):
            verdicts.append(verdict)
            self._soon(lambda told=tuple(verdicts): self._judged(wish, shown, told))  # type: ignore[misc]

    def _judged(self, wish: Wish, shown: Shown, verdicts: tuple[Verdict, ...]) -> None:
        if wish is self._wish:
            self.verdicts.object = tables.patterns(shown.a.config, verdicts, _side(shown))

    def _mistaken(self, mistake: UserError, serial: int) -> None:
        """Say what is wrong: with the address at the top, with what was set where whoever set it is looking."""
        self.message.css_classes = ["late"] if serial else []
        self.message.object = complaint(mistake)
        self.message.visible = True


def _side(shown: Shown) -> str:
    """What the first scenario is called: nothing where it is the only one."""
    return "" if shown.b is None else "A"


def _texts(message: Mapping[str, Any]) -> dict[str, str]:
    """The settings in a message of the browser; whatever else it holds is no setting."""
    texts = message.get("texts")
    return {str(key): str(text) for key, text in texts.items()} if isinstance(texts, dict) else {}


def _serial(message: Mapping[str, Any]) -> int:
    serial = message.get("serial")
    return serial if isinstance(serial, int) else 0
