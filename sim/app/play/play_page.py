"""The page: choose a run, step or play through it, see and read every day."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

import panel as pn

from sim.analysis.narrative import ELSEWHERE, Sentence
from sim.app.frame import (
    WIDE,
    UrlBar,
    button,
    complaint,
    field,
    html,
    pieces,
    row,
    share,
    url_settings,
)
from sim.app.play.day_plots import ATTACK, DEFIANT, MARKS, ORDERS, STRIKES, DayAxis, DayPlot
from sim.app.play.stepwise_run import (
    DAY,
    RUN,
    SCENARIO,
    SEED,
    DayState,
    PlayState,
    StepwiseRun,
    parse_number,
    parse_play_state,
)
from sim.experiment.formats import number
from sim.model.cast import Cast
from sim.model.scenario import Scenario, scenario_names
from sim.model.timeline import long_date
from sim.model.validation import UserError
from sim.reporting.text import capital
from sim.rules.patron import PHASES
from sim.rules.samplers import poisson, sample_categorical

SPEEDS: Final = {"1 day a second": 1000, "2 days a second": 500, "5 days a second": 200, "10 days a second": 100}
DAYS_IN_A_ROW: Final = 10
"""Days that are simulated in a row before other sessions get their turn."""


def page() -> pn.viewable.Viewable:
    """The page of one session."""
    return PlayPage().view()


class PlayPage:
    """What one visitor sees, and the run behind it."""

    def __init__(self) -> None:
        self.url, self.plot, self.axis = UrlBar(), DayPlot(), DayAxis(self._click)
        self.quiet, self.ticket = False, object()
        mistake: UserError | None = None
        try:
            state = parse_play_state(url_settings())
        except UserError as problem:
            state, mistake = PlayState(), problem
        self.run = StepwiseRun(state)
        self.day = self.run.reach(state.day)
        if self.day < state.day:
            mistake = UserError(DAY, state.day, f"0 to {self.day}, on which direct war broke out")
        self._build()
        self._show_run()
        self._complain(mistake)

    def _build(self) -> None:
        state, titles = self.run.state, {card.title: card.name for card in scenario_names()}
        self.scenario = field(pn.widgets.Select, "Scenario", options=titles, value=state.scenario)
        self.number = field(pn.widgets.TextInput, "Run", value=str(state.run))
        self.seed = field(pn.widgets.TextInput, "Seed", value=str(state.seed))
        self.goal = field(pn.widgets.TextInput, "Go to day", value=str(self.day))
        self.speed = field(pn.widgets.Select, "Speed", options=SPEEDS, value=500)
        self.first, self.back, self.forth = button("First"), button("Back"), button("Step")
        self.play, self.event = button("Play", color="primary"), button("Next event")
        self.problem, self.question, self.heading, self.messages = html(), html(), html(), html()
        self.legend, self.tables = html(), html()
        self.clock = pn.state.add_periodic_callback(self._tick, period=self.speed.value, start=False)
        for key, widget in ((SCENARIO, self.scenario), (RUN, self.number), (SEED, self.seed)):
            widget.param.watch(lambda event, key=key: self._change_run(key, event.new), "value")
        self.goal.param.watch(lambda event: self._go_to(event.new), "value")
        self.speed.param.watch(lambda event: setattr(self.clock, "period", event.new), "value")
        self.first.on_click(lambda _: self._move(lambda: self._reach(0)))
        self.back.on_click(lambda _: self._move(lambda: self._reach(self.day - 1)))
        self.forth.on_click(lambda _: self._move(lambda: self._reach(self.day + 1)))
        self.event.on_click(lambda _: self._move(self._find_event))
        self.play.on_click(lambda _: self._toggle())

    def view(self) -> pn.viewable.Viewable:
        """The widgets in their places: side by side where there is room, else below."""
        which = row(share(self.scenario, "3 1 14rem"), share(self.number, "2 1 9rem"), share(self.seed, "1 1 6rem"))
        buttons = row(self.first, self.back, self.play, self.forth, self.event, gap="0.3rem")
        when = row(share(self.goal, "1 1 6rem"), share(self.speed, "1 1 9rem"))
        steer = row(share(buttons, "3 1 21rem"), share(when, "2 1 16rem"))
        read = pn.Column(self.messages, self.legend, **WIDE)
        day = row(share(self.plot.pane, "3 1 21rem"), share(read, "2 1 18rem"), gap="1.5rem", align="flex-start")
        return pn.Column(
            which, self.question, self.problem, steer, self.heading, self.axis.pane, day, self.tables, self.url.part,
            **WIDE,
        )  # fmt: skip

    def _show_run(self) -> None:
        """Show what stays the same while a run is shown, then its day."""
        cast = self.run.scenario.cast
        self.question.object = _piece("question", cast, self.run.question)
        styles = [*ORDERS.values(), ATTACK, DEFIANT, STRIKES]
        self.legend.object = _piece("legend", cast, styles, list(MARKS.values()))
        self._show(self.day)

    def _show(self, day: int) -> None:
        """Show a simulated day."""
        self.day = day
        run, state = self.run, self.run.day_state(day)
        self.plot.draw(run.scenario.cast, state)
        self.axis.draw(run.scenario.calendar, run.states.run[: run.days], day)
        self.heading.object = heading(run, state)
        self.messages.object = messages(run, state)
        self.tables.object = tables(run, state)
        over = run.ended and day == run.days - 1
        self.first.disabled = self.back.disabled = day == 0
        self.forth.disabled = self.event.disabled = over
        # Not something that the visitor typed.
        self.quiet = True
        self.goal.value = str(day)
        self.quiet = False
        if over:
            self._pause()

    def _write_url(self, step: bool = False) -> None:
        self.url.show(replace(self.run.state, day=self.day).texts(), step)

    def _complain(self, problem: UserError | None) -> None:
        self.problem.object = "" if problem is None else complaint(problem)

    def _parsed(self, key: str, text: str) -> Any:
        """What the visitor typed as a value of that key, or None where it is not allowed, which the page then says."""
        try:
            value = text if key == SCENARIO else parse_number(key, text, self.run.state.scenario)
        except UserError as problem:
            self._complain(problem)
            return None
        self._complain(None)
        return value

    def _change_run(self, key: str, text: str) -> None:
        """Open another run on the same day, as far as it goes."""
        if self.quiet or (value := self._parsed(key, text)) is None:
            return
        state = replace(self.run.state, **{key: value})
        if state != self.run.state:
            self._pause()
            self.ticket = object()
            self.run = StepwiseRun(state)
            self.day = self.run.reach(self.day)
            self._schedule(self._reopened)

    def _reopened(self) -> None:
        self._show_run()
        self._write_url(step=True)

    def _go_to(self, text: str) -> None:
        if not self.quiet and (day := self._parsed(DAY, text)) is not None:
            self._move(lambda: self._reach(day))

    def _click(self, day: int) -> None:
        """Go to a day on the axis, where only simulated days are drawn."""
        self._move(lambda: self._reach(min(day, self.run.days - 1)))

    def _move(self, move: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Simulate on in turns with other sessions; a later request takes over."""
        self._pause()
        self.ticket = object()
        self._schedule(move)

    def _schedule(self, act: Callable[[], Any]) -> None:
        """Change the page in a callback of the document, which holds its lock; Enter in a field does not."""
        if (document := pn.state.curdoc) is not None:
            document.add_next_tick_callback(act)
        elif (way := act()) is not None:
            asyncio.run(way)

    async def _reach(self, day: int) -> None:
        run, ticket = self.run, self.ticket
        while run.days <= day and not run.ended:
            run.reach(min(day, run.days + DAYS_IN_A_ROW - 1))
            await asyncio.sleep(0)
            if ticket is not self.ticket:
                return
        self._show(max(0, min(day, run.days - 1)))
        self._write_url()

    async def _find_event(self) -> None:
        run, ticket, later = self.run, self.ticket, self.day + 1
        while run.reach(later) == later and not run.is_event(later):
            later += 1
            if later % DAYS_IN_A_ROW == 0:
                await asyncio.sleep(0)
                if ticket is not self.ticket:
                    return
        self._show(min(later, run.days - 1))
        self._write_url()

    def _toggle(self) -> None:
        if self.clock.running:
            self._pause()
            self._write_url()
        else:
            self.ticket = object()
            self.play.label = "Pause"
            self.clock.start()

    def _pause(self) -> None:
        if self.clock.running:
            self.clock.stop()
        self.play.label = "Play"

    def _tick(self) -> None:
        later = self.day + 1
        if self.run.reach(later) == later:
            self._show(later)
        if self.run.ended and self.day == self.run.days - 1:
            self._pause()
            self._write_url()


# --- a day in words and tables ------------------------------------------------------------------------------

SIGNS: Final = {"inverted_triangle": "▼", "diamond": "◆", "star": "★", "x": "✕"}
FLAGS: Final = ("answered", "limited", "major", "war")
LEADER: Final = ("none taken", "struck", "declined")
SAMPLERS: Final = (poisson, sample_categorical)
"""What the catalog leaves out, for it is no rule."""
RUN_LABELS: Final = {
    "war_risk": ("War risk that {patron} perceives", "1"),
    "phase": ("Phase of {patron}", ""),
    "phase_days": ("Days in this phase", "days"),
    "restraint_orders": ("Orders to hold back so far", "orders"),
    "release_hazard": ("Rate of releasing the order, summed up", "1"),
    "release_limit": ("Sum at which the order is released", "1"),
    "gains": ("How far enough was gained", "share"),
    "ordered_attacks": ("Ordered attacks so far", "attacks"),
    "answered": ("{patron} answered openly today", ""),
    "pressure": ("Pressure of the mediators", "share"),
    "provocation": ("Provocation of {target}", "attacks"),
    "pending": ("Days to an announced response", "days"),
    "quiet_days": ("Days without an acknowledged attack", "days"),
    "attacks": ("Attacks on {target} today", "attacks"),
    "acknowledged": ("Of these acknowledged", "attacks"),
    "injured": ("Injured today", "soldiers"),
    "killed": ("Killed today", "soldiers"),
    "lethal": ("Attacks that killed", "attacks"),
    "limited": ("Limited response today", ""),
    "leader": ("Opportunity to strike a leader", ""),
    "major": ("Major response today", ""),
    "struck_wing": ("Wing that a limited or leader strike hit", ""),
    "strikes": ("Strikes today", "limited strikes"),
    "strikes_home": ("Of these in the mediators' country", "limited strikes"),
    "acts": ("Acts against {patron} by {target}", "weighted acts"),
    "rung": ("Rung of the ladder today", "rung"),
    "recent_rung": ("Recent height of the ladder", "rungs"),
    "war_hazard": ("Rate of direct war, summed up", "1"),
    "war_limit": ("Sum at which direct war breaks out", "1"),
    "war": ("Direct war", ""),
}
"""Title and unit of every state of the run, in the order of the engines' records."""
THEATRE_LABELS: Final = {
    "directive": ("Order in force today", "share"),
    "order": ("Order given tonight", "share"),
    "shock": ("Shock to attack rates", "log rate"),
    "weight": ("Weight among theatres", "1"),
}
"""Title and unit of every state of a theatre. An order is a share of a full campaign."""
WING_LABELS: Final = {
    "compliance": ("Compliance", "share"),
    "fear": ("Fear", "log rate"),
    "grievance": ("Grievance", "log rate"),
    "capacity": ("Capacity", "share"),
    "rate": ("Attack rate", "attacks/day"),
    "attacks": ("Attacks", "attacks"),
    "acknowledged": ("Acknowledged", "attacks"),
    "recent": ("Recent attacks", "attacks"),
    "struck": ("Struck", "limited strikes"),
    "nearby": ("Struck nearby", "limited strikes"),
    "jump": ("Jump of fear", "log rate"),
}
"""Title and unit of every state of a wing. Fear and grievance change the logarithm of its attack rate."""


def _piece(name: str, cast: Cast, *values: object) -> str:
    """One piece of the page, with the names of a case."""
    names = {"patron": cast.names.patron, "target": cast.names.target}
    return pieces("play/day.html.j2", name, *values, number=number, signs=SIGNS, **names)


def heading(run: StepwiseRun, state: DayState) -> str:
    """The day and the main states in a line."""
    scenario, now = run.scenario, state.run
    so_far = run.states.run[: state.day + 1]
    facts = [
        (f"{scenario.cast.names.patron}:", PHASES[int(now["phase"])]),
        ("war risk", f"{number(now['war_risk'])} (alarm at {number(scenario.parameters.patron.alarm_threshold)})"),
        ("ladder", state_words(scenario, "rung", now["rung"])),
        ("attacks so far", f"{so_far['attacks'].sum():g}"),
        ("killed so far", f"{so_far['killed'].sum():g}"),
    ]
    end = ""
    if run.ended and state.day == run.days - 1:
        end = "Direct war broke out: the run ends here." if now["war"] else "The calendar ends here."
    title = f"Day {state.day} of {scenario.calendar.days - 1}, {long_date(state.date)}"
    return _piece("heading", scenario.cast, title, facts, end)


def messages(run: StepwiseRun, state: DayState) -> str:
    """The events of the day, each with a link to its rule."""
    cast = run.scenario.cast
    sentences = [(one.text, rule_link(one)) for one in state.sentences if one.kind != ELSEWHERE]
    counts = {one.actor: int(one.result) for one in state.sentences if one.kind == ELSEWHERE}
    elsewhere = ", ".join(f"{cast.wings[wing].name} {count}" for wing, count in counts.items())
    return _piece("messages", cast, sentences, f"Attacks elsewhere: {elsewhere}." if elsewhere else "")


def rule_link(sentence: Sentence) -> str:
    """The URL of the rule that decided, with its inputs; empty where no rule of the catalog did."""
    for one in (sentence.decision, *reversed(sentence.reasons)):
        if one.rule.__module__.startswith("sim.rules.") and one.rule not in SAMPLERS:
            given = {
                name: repr(float(value))
                for name, value in one.inputs.items()
                if isinstance(value, int | float) and math.isfinite(value)
            }
            key = f"{one.rule.__module__.rpartition('.')[2]}.{one.rule.__name__}"
            return "learn?" + urlencode({"rule": key, **given})
    return ""


def tables(run: StepwiseRun, state: DayState) -> str:
    """All states at the end of the day; each number has its full value as a tooltip."""
    cast, names = run.scenario.cast, run.scenario.cast.names
    wings = [(one.name, key, states) for (key, one), states in zip(cast.wings.items(), state.wings, strict=True)]
    theatres = [(one.name, key, states) for (key, one), states in zip(cast.theatres.items(), state.fronts, strict=True)]
    rows = [
        (capital(text.format(patron=names.patron, target=names.target)), unit, key, state.run[key],
         state_words(run.scenario, key, state.run[key]))
        for key, (text, unit) in RUN_LABELS.items()
    ]  # fmt: skip
    return _piece("tables", cast, wings, WING_LABELS, theatres, THEATRE_LABELS, rows)


def state_words(scenario: Scenario, state: str, value: float) -> str:
    """A state of the run, in words where its number is a code."""
    if state == "phase":
        return PHASES[int(value)]
    if state in FLAGS:
        return "yes" if value else "no"
    if state == "leader":
        return LEADER[int(value)]
    if state == "struck_wing":
        return "none" if value < 0 else list(scenario.cast.wings.values())[int(value)].name
    if state == "rung":
        return f"{int(value)}, {scenario.rungs[int(value)]}"
    return number(value)
