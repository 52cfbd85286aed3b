"""The settings as a form of the browser's own controls, which every keyboard and screen reader knows."""

from pathlib import Path
from typing import Any, Final

import param
from panel.custom import JSComponent

from sim.study.live.link import OTHER, Asked
from sim.study.live.settings import Ground, Settings, set_in, settable
from sim.view.app.explore.choice import groups, switches
from sim.view.app.frame import stylesheet
from sim.world.scenario import Config

_HERE: Final = Path(__file__).parent


class Controls(JSComponent):
    """What the browser asks for and what it is told.

    `asked` and `upload` come from the browser, each with a serial number; `form` says what there is to set, `state`
    what is set now and which of the browser's messages that answers.
    """

    form = param.Dict(default={})
    state = param.Dict(default={})
    asked = param.Dict(default={})
    upload = param.Dict(default={})

    _esm = _HERE / "controls.js"
    _stylesheets = [stylesheet(), (_HERE / "controls.css").read_text(encoding="utf-8")]  # noqa: RUF012


def form_of(ground: Ground, config: Config) -> dict[str, Any]:
    """What there is to set: scenarios with their questions, groups of sliders, and switches."""
    cast = config.scenario.cast
    return {
        "usual": ground.scenario,
        "scenarios": [{"name": card.name, "question": card.question} for card in ground.cards],
        "groups": list(groups(cast)),
        "switches": switches(cast),
    }


def state_of(ground: Ground, asked: Asked, serial: int) -> dict[str, Any]:
    """What is set: the texts of the address, and for A and B every value with what the scenario itself says."""
    told = {"serial": serial, "texts": asked.texts(ground), "seed": str(asked.seed), "a": side(ground, asked.a)}
    return told | {"b": None if asked.b is None else side(ground, asked.b), "other": OTHER}


def side(ground: Ground, settings: Settings) -> dict[str, Any]:
    """One side: its scenario, whether history is free, and by key the value and that of the scenario itself."""
    base = ground.base(settings.scenario, settings.free)
    own = {key: set_in(base, key) for key in settable()}
    return {"scenario": settings.scenario, "free": settings.free, "values": own | dict(settings.values), "own": own}
