"""Formulas: written once, set alike everywhere, every symbol explained; and the picture of who influences whom."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sim.app.learn import learn_page
from sim.app.learn.rule_catalog import RuleEntry
from sim.engine.reference import agents
from sim.engine.reference.agents import Actor
from sim.engine.reference.model import ReferenceModel
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.model.parameters import shared_declarations
from sim.model.timeline import EVENT_KINDS
from sim.model.validation import UserError
from sim.reporting.docs_tables import INFLUENCES, TABLES, influence_figure
from sim.reporting.formulas import (
    OF_THE_DAY,
    every_rule,
    formula,
    formula_in_html,
    markdown,
    mathml,
    parse_docstring,
    segments,
    symbols,
    symbols_in,
    tex,
    unknown_in,
)
from sim.reporting.style import save
from tests.engine.worlds import world

ROOT = Path(__file__).parents[2]
FORMULAS = {key: parse_docstring(rule).formula for key, rule in every_rule().items()}
LINES = [line for lines in FORMULAS.values() for line in lines]


def words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]+", text)


def test_every_formula_is_tex_that_a_browser_draws() -> None:
    assert len(LINES) > 60
    for line in LINES:
        assert "<math" in mathml(tex(line), block=True), line
        assert formula_in_html(line).count("<math") == sum(one for one, _ in segments(line)), line


COMMANDS = re.compile(r"\\(text|varepsilon|leftarrow|operatorname|lfloor|rfloor|sqrt|ast|cdot|to|le|ge)\b")
"""What TeX has in words where the docstring has a sign."""


def test_no_word_of_a_formula_is_lost() -> None:
    for line in LINES:
        kept = words(COMMANDS.sub(" ", tex(line)).replace("\\", " ").replace("_", " "))
        wanted = [one for one in words(line.replace("_", " ")) if one not in ("sqrt", "floor", "epsilon")]
        assert kept == wanted, line


def test_every_symbol_is_explained_once_and_every_key_exists() -> None:
    assert {line: unknown for line in LINES if (unknown := unknown_in(line))} == {}
    names = [one.symbol for one in symbols()]
    assert len(names) == len(set(names))
    columns = {name for state in (RUN_STATE, THEATRE_STATE, WING_STATE) for name in state.names or ()}
    assert {one.key for one in OF_THE_DAY if one.key} <= columns | set(EVENT_KINDS)
    used = {one.symbol for one in symbols_in(LINES)}
    assert {one.symbol for one in OF_THE_DAY} <= used
    # Half-lives become daily shares; these few meet a number before a rule is given it.
    indirect = {"d_release", "e_US", "q_small", "p_obs_small", "mean injured"}
    rest = {one.symbol for one in shared_declarations().values()} - used - indirect
    assert {one for one in rest if not one.startswith(("h_", "x_", "psi", "phi"))} == set()


def test_a_symbol_that_nothing_explains_is_noticed() -> None:
    assert unknown_in("f <- f + omega_2 c") == ["omega_2"]
    with pytest.raises(ValueError, match="not closed"):
        tex("sqrt(1 - c")


def test_document_page_and_notebook_have_the_formula_of_the_docstring() -> None:
    line = FORMULAS["militia.attack_rate"][0]
    assert markdown(line) in (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    assert markdown(line) in TABLES["rules of militia"]().to_markdown()
    rule = every_rule()["militia.attack_rate"]
    entry = RuleEntry("militia.attack_rate", rule, parse_docstring(rule), (), ())
    assert formula_in_html(line) in learn_page._piece("heading", entry)
    assert tex(line) in formula("militia.attack_rate")._repr_latex_()
    with pytest.raises(UserError, match=r"nearest: militia\.hold"):
        formula("militia.holds")


# --- who influences whom ------------------------------------------------------------------------------------

ROLES = {
    agents.RivalAgent: "rival", agents.PatronAgent: "patron", agents.MediatorsAgent: "mediators",
    agents.TargetAgent: "target", agents.MilitiaWing: "wings", agents.TheatreAgent: "wings",
    agents.MilitiaGroup: "groups",
}  # fmt: skip
STEPS_OF = {
    "timeline_speaks": "rival", "patron_assesses": "patron", "mediators_press": "mediators", "groups_decide": "groups",
    "militias_adapt": "wings", "militias_attack": "wings", "attacks_land": "target", "target_responds": "target",
    "_strikes_add_up": "wings", "ladder_moves": "ladder",
}  # fmt: skip
"""For whom the model itself acts in its steps."""
FROM_OUTSIDE = {"today", "surges", "supplies", "raids", "_stances"}
STATES = {
    *(name for state in (RUN_STATE, THEATRE_STATE, WING_STATE) for name in state.names or ()),
    "directives", "gates", "felt", "hits", "pause_rate", "factor",
}  # fmt: skip


def reader(frame: FrameType | None) -> tuple[str, Any]:
    """Whose code runs in a frame, or in the one that called it, and the agent itself."""
    while frame is not None:
        own = frame.f_locals.get("self")
        if issubclass(type(own), Actor):
            return ROLES.get(type(own), ""), own
        if issubclass(type(own), ReferenceModel):
            return STEPS_OF.get(frame.f_code.co_name, ""), own
        frame = frame.f_back
    return "", None


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Pairs of whose state is read or set and who reads it, found while the Mesa model runs."""
    pairs: set[tuple[str, str]] = set()

    def read(owner: str, name: str, kept: set[str]) -> None:
        by = reader(sys._getframe(2))[0] if name in kept else ""
        if by and owner and by != owner:
            pairs.add((owner, by))

    def of_actor(self: Any, name: str) -> Any:
        read(ROLES.get(type(self), ""), name, STATES)
        if name == "turn_on_patron":
            pairs.add((reader(sys._getframe(1))[0], "target"))
        if name == "struck":
            by, other = reader(sys._getframe(1))
            pairs.update({("wings", "wings")} if by == "wings" and other is not self else ())
        return object.__getattribute__(self, name)

    def of_model(self: Any, name: str) -> Any:
        read("timeline", name, FROM_OUTSIDE)
        return object.__getattribute__(self, name)

    def set_on_actor(self: Any, name: str, value: Any) -> None:
        by, other = reader(sys._getframe(1))
        if issubclass(type(other), Actor) and by != ROLES.get(type(self), ""):
            pairs.add((by, ROLES[type(self)]))
        object.__setattr__(self, name, value)

    monkeypatch.setattr(Actor, "__getattribute__", of_actor)
    monkeypatch.setattr(Actor, "__setattr__", set_on_actor)
    monkeypatch.setattr(ReferenceModel, "__getattribute__", of_model)
    return pairs


def test_the_picture_shows_what_agents_read(seen: set[tuple[str, str]]) -> None:
    ReferenceModel(world("scenario=strike_iran"), 1, 3).simulate()
    assert seen == set(INFLUENCES)


def test_the_picture_is_the_one_of_the_code(tmp_path: Path) -> None:
    save(influence_figure(), tmp_path / "now.png")
    read: Callable[[Path], Any] = plt.imread
    now, shipped = read(tmp_path / "now.png"), read(ROOT / "docs" / "images" / "influences.png")
    assert now.shape == shipped.shape, "run `make tables`"
    # Other versions of the libraries smooth letters a little otherwise.
    assert (np.abs(now - shipped).max(axis=2) > 0.4).mean() < 0.002, "run `make tables`"
