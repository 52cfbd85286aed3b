"""Events and questions in words on the page: a link holds them, commands repeat them, numbers are theirs."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from sim import simulate
from sim.app.explore import outcome_html
from sim.app.form_settings import BaseConfig, dump_scenario, load_base, parse_scenario, parse_state
from sim.app.workers import WorkerPool
from sim.cli import main
from sim.model.validation import UserError

ASKED = ("war by 2024-06-01", "lull_days >= 90")
EVENT = "order iraq stop from 2023-12-10"
TEXTS = {
    "outcomes": "; ".join(ASKED), "interventions": EVENT,
    "b.scenario": "article", "b.interventions": "deaths nujaba_iraq 3 on 2024-02-10", "b.patron.control": "0.9",
}  # fmt: skip


@pytest.fixture(scope="module")
def base() -> BaseConfig:
    return load_base(("study.runs=50",))


def test_a_link_holds_events_and_questions(base: BaseConfig) -> None:
    state = parse_state(base, TEXTS)
    assert parse_state(base, state.texts(base)) == state
    assert state.b is not None
    assert state.a.listed("outcomes") == state.b.listed("outcomes") == ASKED
    assert parse_scenario(base, dump_scenario(base, state.a)).listed("interventions") == (EVENT,)


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("interventions", "order irak stop from 2023-12-10", 'for "irak"'),
        ("outcomes", "wor by 2024-06-01", 'for "wor"'),
        ("outcomes", "war " * 120, "at most 400 characters"),
    ],
)
def test_a_slip_in_words_is_refused(base: BaseConfig, key: str, text: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_state(base, {key: text})
    assert words in str(caught.value)


def test_numbers_are_those_of_the_command_and_of_python(base: BaseConfig, tmp_path: Path) -> None:
    pool = WorkerPool(base)
    try:
        view = pool.view(parse_state(base, TEXTS))
        alone = pool.view(parse_state(base, {key: text for key, text in TEXTS.items() if "." not in key}))
    finally:
        pool.close()
    run, compare = (shlex.split(one) for one in outcome_html.commands(base, view.state))
    assert run[:3] == ["lull", "run", f"article; {EVENT}"]
    data = simulate("article", runs=50, overrides={"interventions": [EVENT], "study.outcomes": list(ASKED)})
    for text in ASKED:
        assert np.array_equal(alone.a.data[text], data[text])
    assert main([*compare[1:], f"output.dir={tmp_path}"]) == 0
    [pair] = json.loads((tmp_path / "summary.json").read_text())["comparisons"].values()
    rows = {row.measure.name: row.effect for row in view.rows}
    for text in ASKED:
        assert pair["measures"][text]["difference"] == pytest.approx(rows[text].difference), text
        assert pair["measures"][text]["baseline_value"] == pytest.approx(rows[text].baseline_value), text
