"""One visitor's session: its form, the workers that simulate what the browser asks for, and the results on the page.

The form has the browser's own controls, made from the declarations of parameters and mechanisms. Only the
newest request is worked on. Workers never touch the page; the session's own document callbacks do.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Final

import panel as pn
import param
from bokeh.document import Document
from panel.custom import JSComponent

from sim.analysis.pattern_tests import Verdict
from sim.app.explore import outcome_html
from sim.app.explore.fan_chart import FanChart
from sim.app.explore.forecast_area import ForecastArea
from sim.app.form_settings import (
    ASKED,
    SECOND,
    BaseConfig,
    ExploreState,
    ScenarioSettings,
    configured_value,
    initial_state,
    parse_scenario,
    parse_state,
    settable,
)
from sim.app.frame import WIDE, UrlBar, complaint, html, read_text, round_up, url_settings
from sim.app.workers import ExploreView, WorkerPool
from sim.experiment.formats import named
from sim.model.cast import Cast
from sim.model.parameters import Declaration, shared_declarations
from sim.model.scenario import INTERVENTIONS, Config
from sim.model.validation import UserError
from sim.reporting.comparison_tables import MECHANISM_WORDS
from sim.reporting.figures.briefing import headline
from sim.reporting.text import capital

FRONT: Final = {
    "patron": (
        "patron.control", "patron.war_risk_half_life", "patron.alarm_per_strike", "patron.gains_weight",
        "patron.directive_reduce", "patron.release_rate",
    ),
    "militia": (
        "multipliers.baseline", "multipliers.autonomy", "deterrence.fear_half_life", "deterrence.major_fear",
        "deterrence.strike_net", "deterrence.rebuild_days", "mediator.weight",
    ),
    "target": (
        "target.provocation_threshold", "target.response_rate", "target.major_intensity", "casualties.penetration",
        "casualties.lethality",
    ),
    "war": ("ladder.war_rate", "ladder.war_threshold"),
}  # fmt: skip
"""Parameters that change attacks, the lull, deaths or war most when all vary over their priors (`lull sensitivity`)."""

STEPS: Final = 100
"""Steps of a slider, about."""
DEVIATIONS: Final = 2.5
"""Standard deviations of a normal prior that a slider spans to each side."""


class SettingsForm(JSComponent):
    """The form in the browser.

    `asked` and `upload` come from the browser, each with a serial number; `form` holds what can be set, `state` what is
    set now and which of the browser's messages it answers.
    """

    form = param.Dict(default={})
    state = param.Dict(default={})
    asked = param.Dict(default={})
    upload = param.Dict(default={})

    _esm = read_text("explore/controls.js")
    _stylesheets = [read_text("inside.css"), read_text("explore/controls.css")]  # noqa: RUF012


def form_content(base: BaseConfig, config: Config) -> dict[str, Any]:
    """What can be set: scenarios with their questions, groups of sliders, and switches."""
    cast = config.scenario.cast
    return {
        "usual": base.scenario,
        "scenarios": [{"name": one.name, "title": one.title, "question": one.question} for one in base.cards],
        "groups": list(groups(cast)),
        "switches": [
            {"key": f"mechanisms.{name}", "label": capital(named(text, cast))} for name, text in MECHANISM_WORDS.items()
        ],
    }


def form_state(base: BaseConfig, state: ExploreState, serial: int) -> dict[str, Any]:
    """What is set: the texts of the URL, and for A and B every value with that of the scenario itself."""
    return {
        "serial": serial,
        "texts": state.texts(base),
        "seed": str(state.seed),
        ASKED: "; ".join(state.a.listed(ASKED)),
        "a": _side_state(base, state.a),
        "b": None if state.b is None else _side_state(base, state.b),
        "other": SECOND,
    }


def _side_state(base: BaseConfig, settings: ScenarioSettings) -> dict[str, Any]:
    start = base.scenario_config(settings.scenario, settings.free, settings.listed(INTERVENTIONS))
    own = {key: configured_value(start, key) for key in settable()}
    return {
        "scenario": settings.scenario,
        "free": settings.free,
        INTERVENTIONS: "; ".join(settings.listed(INTERVENTIONS)),
        "values": own | dict(settings.values),
        "own": own,
    }


def groups(cast: Cast) -> Iterator[dict[str, Any]]:
    """The groups of sliders, the most influential first: title, whether it is open, and the sliders."""
    names, declared = cast.names, shared_declarations()
    titles = {
        "patron": capital(names.patron),
        "militia": "Militias and mediators",
        "target": capital(names.target),
        "war": "The way to war",
    }
    for group, keys in FRONT.items():
        sliders = [slider(key, declared[key], cast) for key in keys]
        yield {"title": titles[group], "open": group == "patron", "sliders": sliders}
    front = {key for keys in FRONT.values() for key in keys}
    rest = [slider(key, one, cast) for key, one in declared.items() if key not in front]
    yield {"title": f"{len(rest)} other parameters", "open": False, "sliders": rest}


def slider(key: str, declared: Declaration, cast: Cast) -> dict[str, Any]:
    """The slider of a parameter: from `low` to `high` in steps, or in equal ratios where `ratio` is true.

    `least` and `most` are the limits of what may be typed.
    """
    low, high = span(declared)
    return {
        "key": key,
        "label": named(declared.title, cast),
        "hint": named(declared.text, cast).partition("; ")[2],
        "unit": "" if declared.unit == "1" else declared.unit,
        "low": low,
        "high": high,
        "step": round_up((high - low) / STEPS, (1, 2, 5, 10)),
        "ratio": declared.prior.shape == "log_uniform",
        "least": declared.low,
        "most": declared.high,
    }


def span(declared: Declaration) -> tuple[float, float]:
    """The ends of a slider: those of the prior, or of the declared range where the prior is fixed.

    >>> span(shared_declarations()["patron.control"])
    (0.4, 1.0)
    """
    prior = declared.prior
    if prior.shape == "fixed":
        return declared.low, declared.high
    if prior.shape == "normal":
        reach = DEVIATIONS * prior.b
        return max(declared.low, prior.a - reach), min(declared.high, prior.a + reach)
    return prior.a, prior.b


# --- the session --------------------------------------------------------------------------------------------

PAUSE: Final = 400
"""Milliseconds without a change after which patterns that take longer are judged."""
CHART: Final = "@media (max-width: 56rem) { .legend { order: 1; } }"
MESSAGE: Final = """
.late { position: fixed !important; left: 0; right: 0; bottom: 0; z-index: 5; background: #fdf4ec;
  box-shadow: 0 0 0.5rem #7b828c; }
"""
"""An error in a setting stands at the foot of the window, so that it is seen from everywhere on the page."""
INTRODUCTION: Final = (
    "<p class='note'>Change a setting. The model reruns the winter {runs:,} times with the same random numbers, so"
    " whatever changes is the setting's doing.</p>"
)

_LOG: Final = logging.getLogger(__name__)


def page(pool: WorkerPool) -> pn.viewable.Viewable:
    """The page of one session."""
    session = Session(pool, pn.state.curdoc)
    pn.state.onload(session.start)
    if pn.state.curdoc is not None:
        pn.state.curdoc.on_session_destroyed(lambda _: session.end())
    introduction = html(INTRODUCTION.format(runs=pool.base.runs))
    areas = {
        "message": pn.Column(session.message, introduction, stylesheets=[MESSAGE], **WIDE),
        "controls": pn.Column(session.form, session.url.part, **WIDE),
        "chart": pn.Column(session.title, session.key, session.legend, session.plot, stylesheets=[CHART], **WIDE),
        "numbers": pn.Column(session.numbers, session.verdicts, session.downloads, session.forecast.part, **WIDE),
    }
    for name, area in areas.items():
        area.css_classes = [name]
    return pn.Column(*areas.values(), stylesheets=[read_text("explore/areas.css")], **WIDE)


@dataclass(frozen=True)
class PageRequest:
    """What the browser asks for: a function that reads it, and the number of its message (0: the page itself)."""

    read: Callable[[], ExploreState]
    serial: int


class Session:
    """The page of one visitor. Sessions share nothing but the pool."""

    def __init__(self, pool: WorkerPool, document: Document | None) -> None:
        self.pool = pool
        self.document = document
        self.message = html(visible=False)
        self.legend = html(css_classes=["legend"])
        self.title, self.key, self.numbers, self.verdicts, self.downloads = (html() for _ in range(5))
        self.url = UrlBar()
        self.plot = pn.Column(**WIDE)
        self.forecast = ForecastArea(pool, self._schedule)
        first = initial_state(pool.base)
        content = form_content(pool.base, pool.base.config(first.a))
        self.form = SettingsForm(form=content, state=form_state(pool.base, first, 0), **WIDE)
        self.chart: FanChart | None = None
        self._next_chart: FanChart | None = None
        self.view: ExploreView | None = None
        self._request: PageRequest | None = None
        self._working = False
        self.form.param.watch(self._on_change, "asked")
        self.form.param.watch(self._on_upload, "upload")

    def start(self) -> None:
        """Show what the URL describes."""
        try:
            texts = url_settings()
        except UserError as mistake:
            self._show_error(mistake, 0)
            texts = {}
        self._submit(PageRequest(lambda: parse_state(self.pool.base, texts), 0))

    def end(self) -> None:
        """Stop all work for a visitor who has left."""
        self._request = self.document = None
        self.forecast.end()

    def _on_change(self, event: Any) -> None:
        texts = _texts(event.new)
        self._submit(PageRequest(lambda: parse_state(self.pool.base, texts), _serial(event.new)))

    def _on_upload(self, event: Any) -> None:
        texts, text, side = _texts(event.new), str(event.new.get("text", "")), event.new.get("side")

        def read() -> ExploreState:
            before = parse_state(self.pool.base, texts)
            settings = parse_scenario(self.pool.base, text)
            return replace(before, b=settings) if side == "b" else replace(before, a=settings)

        self._submit(PageRequest(read, _serial(event.new)))

    def _submit(self, request: PageRequest) -> None:
        self._request = request
        if not self._working:
            self._next_request()

    def _next_request(self) -> None:
        if self._request is not None:
            self._working = True
            self.pool.quick.submit(self._work, self._request)

    def _work(self, request: PageRequest) -> None:
        """A worker's part: simulate what is asked for, then have it shown."""
        result: ExploreView | UserError
        try:
            result = self.pool.view(request.read())
            # Building figures takes a while, so the worker does it and other sessions need not wait.
            if self.chart is None or not self.chart.fits(result.a.config):
                self._next_chart = FanChart(result.a.config)
        except UserError as mistake:
            result = mistake
        except Exception:
            _LOG.exception("a request could not be shown")
            result = UserError("page", "an error in the program", "other settings; see the terminal for details")
        self._schedule(lambda: self._finish(request, result))

    def _schedule(self, act: Callable[[], None]) -> None:
        if self.document is not None:
            self.document.add_next_tick_callback(act)

    def _finish(self, request: PageRequest, result: ExploreView | UserError) -> None:
        self._working = False
        if isinstance(result, UserError):
            self._show_error(result, request.serial)
            if self.view is None:
                self._submit(PageRequest(lambda: initial_state(self.pool.base), request.serial))
                return
            self.form.state = form_state(self.pool.base, self.view.state, request.serial)
        else:
            if request.serial:
                self.message.visible = False
            with pn.io.hold():
                self._show(result, request.serial)
        if request is not self._request:
            self._next_request()
        elif self.document is not None:
            self.document.add_timeout_callback(lambda: self._judge(request), PAUSE)

    def _show(self, view: ExploreView, serial: int) -> None:
        self.view = view
        base, config = self.pool.base, view.a.config
        fresh, self._next_chart = self._next_chart, None
        if fresh is not None:
            self.chart = fresh
            # Another case has other names.
            self.form.form = form_content(base, config)
        if self.chart is not None:
            self.chart.show(view)
        if fresh is not None:
            self.plot[:] = [pn.pane.Bokeh(fresh.part, **WIDE)]
        words = headline(view.a.data, config.scenario)
        self.title.object = f"<h2 aria-live='polite'>{escape(words if view.b is None else f'A: {words}')}</h2>"
        self.legend.object = outcome_html.legend(config, view.b is not None)
        self.key.object = outcome_html.key_figures(view)
        self.numbers.object = outcome_html.differences(view) + outcome_html.outcomes(view.a, _side(view), view.outlook)
        self.verdicts.object = outcome_html.patterns(config, view.verdicts, _side(view))
        self.downloads.object = outcome_html.downloads(base, view.state)
        self.form.state = form_state(base, view.state, serial)
        self.url.show(view.state.texts(base))
        self.forecast.follow(view.state)

    def _judge(self, request: PageRequest) -> None:
        """Judge the patterns that take longer, unless a newer request has come."""
        if request is self._request and self.view is not None:
            self.pool.patient.submit(self._judging, request, self.view)

    def _judging(self, request: PageRequest, view: ExploreView) -> None:
        verdicts = view.verdicts
        for verdict in self.pool.judge(view, lambda: request is not self._request):
            verdicts = (*verdicts, verdict)
            self._schedule(lambda known=verdicts: self._show_verdicts(request, view, known))  # type: ignore[misc]

    def _show_verdicts(self, request: PageRequest, view: ExploreView, verdicts: tuple[Verdict, ...]) -> None:
        if request is self._request:
            self.verdicts.object = outcome_html.patterns(view.a.config, verdicts, _side(view))

    def _show_error(self, mistake: UserError, serial: int) -> None:
        """Show an error: at the top if the URL is wrong, in sight of the control if a setting is."""
        self.message.css_classes = ["late"] if serial else []
        self.message.object = complaint(mistake)
        self.message.visible = True


def _side(view: ExploreView) -> str:
    """The name of the first scenario: empty where it is the only one."""
    return "" if view.b is None else "A"


def _texts(message: Mapping[str, Any]) -> dict[str, str]:
    """The settings in a message of the browser; anything else in it is ignored."""
    texts = message.get("texts")
    return {str(key): str(text) for key, text in texts.items()} if isinstance(texts, dict) else {}


def _serial(message: Mapping[str, Any]) -> int:
    serial = message.get("serial")
    return serial if isinstance(serial, int) else 0
