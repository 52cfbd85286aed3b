"""Chronicles: every sentence can be worked out again, together they are the kernel's run, in the words of the case."""

import csv
import importlib
import io
import json
import math
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pytest
from rich.console import Console

from sim import replay
from sim.analysis.narrative import ELSEWHERE, Chronicle, Sentence, flat
from sim.analysis.traced_run import chronicle_of
from sim.engine.batch import run_batch
from sim.engine.inputs import build_inputs
from sim.engine.record import OutputSpec
from sim.model.declared_outcomes import NAMES
from sim.model.scenario import Scenario, load
from sim.model.timeline import long_date
from sim.model.validation import UserError
from sim.numbers.philox import split_seed, uniform
from sim.reporting.terminal import chronicle_texts
from sim.rules import casualties, ladder, militia, patron, rates, target
from sim.rules.outcomes import COMPLIANT

LIVELY = "patron.open_answer=0.4 target.leader_chance=0.1 casualties.lethality=0.2 history=free".split()
RUNS = {
    "article": ((), 4711),
    "the invented case": (("scenario=salt_coast",), 7),
    "strikes on the patron": (("scenario=strike_iran", *LIVELY), 3),
    "a plan of strikes": (("scenario=arms_interdiction",), 2**33),
    "a truce": (("scenario=gaza_ceasefire", "seed=18446744073709551615"), 0),
    "war": (("ladder.war_rate=0.05", "ladder.war_threshold=1", "history=free"), 1),
    "released and alarmed again": (("scenario=long_horizon", "patron.release_rate=0.5", "patron.alarm_threshold=1"), 5),
    "mechanisms off": (("mechanisms.patron_restraint=false", "mechanisms.target_restraint=false", "seed=0"), 11),
    "compliance by degrees": (("mechanisms.pause=false", "mechanisms.bursts=false", "patron.alarm_threshold=10"), 12),
}
every = pytest.mark.parametrize("name", RUNS)


@cache
def told(name: str) -> tuple[Scenario, int, int, Chronicle]:
    """Scenario, seed, run and chronicle."""
    overrides, run = RUNS[name]
    config = load(list(overrides))
    return config.scenario, config.seed, run, chronicle_of(config, run)


def sentences(name: str) -> tuple[Sentence, ...]:
    return told(name)[3].sentences


# --- each sentence ------------------------------------------------------------------------------------------


@every
def test_every_sentence_comes_out_again_from_what_it_carries(name):
    _, seed, run, _ = told(name)
    for one in sentences(name):
        assert one.draw == one.decision.draw
        for step in (one.decision, *one.reasons):
            assert step.rule(**step.inputs) == step.result, one.text
            if step.address is None:
                assert step.draw is None
                continue
            assert (step.address.seed, step.address.run) == (seed, run)
            # In the address of a whole episode its number takes the place of the day.
            assert step.address.day == one.day or step.rule is rates.hazard_limit
            assert uniform(*split_seed(seed), *step.address[1:]) == step.draw == step.inputs["draw"], one.text
        assert one.holds(), one.text


@every
def test_the_decision_told_is_the_one_that_was_taken(name):
    follows = {
        target.limited_response_occurs: lambda one: one.result is True,
        target.leader_choice: lambda one: one.result in (target.STRUCK, target.DECLINED),
        target.major_response_occurs: lambda one: one.result is True,
        target.strikes_patron: lambda one: one.result is True,
        patron.next_phase: lambda one: one.result != one.inputs["phase"],
        patron.answers: lambda one: one.result is True,
        patron.documented_phase: lambda one: one.result != one.inputs["before"],
        rates.episode_ends: lambda one: one.inputs["hazard"] >= one.inputs["limit"],
        militia.compliance: lambda one: (one.result < COMPLIANT) != (one.inputs["now"] < COMPLIANT),
        casualties.fate: lambda one: one.result != casualties.ACKNOWLEDGED,
        casualties.pinned_fate: lambda one: one.result != one.inputs["fate"],
    }
    for one in sentences(name):
        assert follows.get(one.rule, lambda one: one.result > 0 or one.kind in {"rivalry", "order", "response"})(one)


NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?%?")
DATE = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}")


def spoken(value: float) -> set[str]:
    """Every way in which a number may stand in a text."""
    return {f"{value:.3g}", f"{value:g}", f"{value:.0%}"} if math.isfinite(value) else set()


def unfounded(one: Sentence, scenario: Scenario) -> set[str]:
    """Numbers in a text that are not among those which the sentence carries."""
    steps = (*one.reasons, one.decision)
    known = [spoken(float(value)) for step in steps for value in (*flat(step.inputs.values()), step.result)]
    if one.rule is patron.next_phase:
        risk = next(step for step in one.reasons if step.rule is patron.war_risk)
        known += [spoken(first * second) for first, second in combinations(risk.inputs.values(), 2)]
    text = DATE.sub("", one.text)
    for called in (*(wing.name for wing in scenario.cast.wings.values()), *vars(scenario.cast.names).values()):
        text = text.replace(called, "")
    return set(NUMBER.findall(text)).difference(*known)


@every
def test_no_text_holds_a_number_that_its_record_does_not(name):
    for one in sentences(name):
        assert unfounded(one, told(name)[0]) == set(), one.text
        assert one.text[0].isupper()
        assert one.text.endswith(".")


def test_a_number_out_of_the_blue_is_noticed():
    [one] = [one for one in sentences("article") if one.rule is target.days_pending and one.day == 103]
    wrong = replace(one, text=one.text.replace("5 days", "6 days"))
    assert unfounded(wrong, told("article")[0]) == {"6"}


def test_a_draw_an_input_a_result_or_a_reason_tampered_with_is_caught():
    tampered = Counter[str]()
    for one in (*sentences("strikes on the patron"), *sentences("compliance by degrees")):
        spoilt = [replace(one, result=not one.result if isinstance(one.result, bool) else one.result + 1)]
        if one.draw is not None:
            draw = one.draw + 2.0**-32 if one.draw < 0.5 else one.draw - 2.0**-32
            spoilt += [replace(one, draw=draw), replace(one, draw=draw, inputs={**one.inputs, "draw": draw})]
            spoilt += [replace(one, address=one.address._replace(run=one.address.run + 1))]  # type: ignore[union-attr]
        if one.rule in (militia.compliance, patron.war_risk):
            spoilt += [replace(one, inputs={**one.inputs, "now": one.inputs["now"] + 1e-9})]
        if one.reasons:
            first, *rest = one.reasons
            spoilt += [replace(one, reasons=(replace(first, result=first.result + 1), *rest))]
        assert not any(bad.holds() for bad in spoilt), one.text
        tampered[one.kind] += len(spoilt)
    assert {"attack", "casualties", "response", "alarm", "order", "compliance", "pause"} <= set(tampered)


def test_all_kinds_of_sentences_are_told_somewhere():
    kinds = {one.kind for name in RUNS for one in sentences(name)}
    assert kinds == set(
        "attack elsewhere casualties response strike order alarm compliance pause mediation rivalry ladder war".split()
    )
    rules = {one.rule for name in RUNS for one in sentences(name)}
    assert {
        patron.next_phase, patron.documented_phase, patron.directive, patron.answers, patron.war_risk,
        target.limited_response_occurs,
        target.major_response_occurs,
        target.days_pending, target.leader_choice, target.strikes_patron, target.strikes_on_wing, casualties.fate,
        casualties.pinned_fate, casualties.number_killed, casualties.toll, ladder.highest, rates.episode_ends,
    } <= rules  # fmt: skip
    choices = {one.result for name in RUNS for one in sentences(name) if one.rule is target.leader_choice}
    assert choices == {target.STRUCK, target.DECLINED}
    phases = {one.result for name in RUNS for one in sentences(name) if one.rule is patron.next_phase}
    assert phases == {1, 2, 3, 4}


# --- all of them together -----------------------------------------------------------------------------------


@every
def test_the_run_told_is_the_run_of_the_kernel(name):
    scenario, seed, run, chronicle = told(name)
    kernel = run_batch(build_inputs(scenario), seed, [run], outputs=OutputSpec(states=True))
    states = (kernel.run_states, kernel.front_states, kernel.wing_states, kernel.extras_states)
    for mine, other in zip(chronicle.states, states, strict=True):
        assert mine.tobytes() == other[0].tobytes()


@every
def test_the_sentences_add_up_to_the_row_of_the_kernel(name):
    scenario, seed, run, chronicle = told(name)
    output = run_batch(build_inputs(scenario), seed, [run])
    row = dict(zip(NAMES, output.rows[0].tolist(), strict=True))

    def results(rule, wanted=lambda one: True):
        return [one.result for one in chronicle.sentences if one.rule is rule and wanted(one)]

    def days(rule, value, actor=None):
        found = (one for one in chronicle.sentences if one.rule is rule and one.result == value)
        return [one.day for one in found if actor in (None, one.actor)]

    killed = results(casualties.number_killed) + results(casualties.toll)
    assert sum(killed) == row["deaths"]
    assert len(killed) == row["lethal_attacks"]
    hits = [one for one in chronicle.sentences if one.kind == "casualties" and " injured " in one.text]
    assert sum(one.result for one in hits) == row["injured"]
    assert len(results(target.limited_response_occurs)) == row["limited_responses"]
    assert len(days(target.leader_choice, target.STRUCK)) == row["leader_strikes"]
    spared = [day for day in days(target.leader_choice, target.DECLINED) if day in scenario.calendar.lull]
    assert len(spared) == row["leader_strikes_declined"]
    assert len(results(target.major_response_occurs)) == row["major_responses"]
    firsts = {
        "major_day": days(target.major_response_occurs, True),
        "directive_day": days(patron.next_phase, patron.RESTRAINING)
        + days(patron.documented_phase, patron.RESTRAINING),
        "release_day": days(patron.next_phase, patron.RELEASED),
        "war_day": days(rates.episode_ends, True, "ladder"),
    }
    assert {key: min(found, default=-1) for key, found in firsts.items()} == {key: row[key] for key in firsts}
    told_attacks, windows = Counter[str](), output.counts[0].sum(axis=1)
    for one in chronicle.sentences:
        attack = one.text.split(" attacked ")[0] in chronicle.names.values() and one.kind in ("attack", ELSEWHERE)
        if attack and one.day != scenario.calendar.strikes:
            told_attacks[one.actor] += int(one.result)
    assert [told_attacks[wing] for wing in scenario.cast.wings] == windows[:, 0].tolist()
    unseen = Counter(
        one.actor
        for one in chronicle.sentences
        if one.rule is casualties.fate and one.result == casualties.UNNOTICED and one.day != scenario.calendar.strikes
    )
    assert [unseen[wing] for wing in scenario.cast.wings] == (windows[:, 0] - windows[:, 1]).tolist()


@every
def test_every_day_is_printed_once_and_quiet_ones_share_a_line(name):
    _, _, _, chronicle = told(name)
    paragraphs = chronicle.paragraphs()
    days = [day for one in paragraphs for day in range(one.first, one.last + 1)]
    assert days == list(range(chronicle.days))
    assert all(before.sentences or after.sentences for before, after in pairwise(paragraphs))
    main = [one for paragraph in paragraphs for one in paragraph.sentences]
    assert main == [one for one in chronicle.sentences if one.kind != ELSEWHERE]
    elsewhere = sum(sum(one.attacks_elsewhere.values()) for one in paragraphs)
    assert elsewhere == sum(one.result for one in chronicle.sentences if one.kind == ELSEWHERE)
    lines = list(chronicle.lines())
    for one in paragraphs:
        [heading] = [line for line in lines if line.startswith((f"Day {one.first},", f"Days {one.first} to "))]
        assert ("quiet" in heading) == (not one.sentences)


def test_the_invented_case_is_told_in_its_own_names():
    text = "\n".join(told("the invented case")[3].lines())
    for name in ("Tarvenia", "Ondrel Republic", "Council of the Brine Towns", "Lantern Men", "Brine Towns"):
        assert name in text
    for name in ("Iran", "United States", "Iraq", "Hezbollah"):
        assert name not in text


def test_the_documented_day_reads_as_it_should():
    chronicle = told("article")[3]
    [day] = [one for one in chronicle.paragraphs() if one.first <= 103 <= one.last]
    text = " ".join(one.text for one in day.sentences)
    assert day.heading == "Day 103, 28 January 2024"
    assert "Kataib Hezbollah across the Jordanian border killed 3 soldiers, as documented." in text
    assert "The United States announced a major response to the death of 3 soldiers, due in 5 days." in text


# --- as files and in the terminal ---------------------------------------------------------------------------


def test_records_suffice_to_work_a_sentence_out_again(tmp_path):
    chronicle = told("mechanisms off")[3]
    chronicle.to_json(tmp_path / "chronicle.json")
    content = json.loads((tmp_path / "chronicle.json").read_text(), parse_constant=pytest.fail)
    assert len(content["sentences"]) == len(chronicle.sentences)
    for record, one in zip(content["sentences"], chronicle.sentences, strict=True):
        module, _, name = record["rule"].rpartition(".")
        inputs = {key: float(x) if isinstance(x, str) else x for key, x in record["inputs"].items()}
        assert getattr(importlib.import_module(module), name)(**inputs) == record["result"]
        assert record["date"] == one.date.isoformat()
        if record["address"] is not None:
            address = list(record["address"].values())
            assert uniform(*split_seed(address[0]), *address[1:]) == record["draw"]


def test_the_table_has_one_row_for_each_sentence(tmp_path):
    chronicle = told("article")[3]
    chronicle.to_csv(tmp_path / "chronicle.csv")
    with (tmp_path / "chronicle.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == [one.text for one in chronicle.sentences]
    assert all(
        json.loads(row["inputs"]).keys() == one.inputs.keys()
        for row, one in zip(rows, chronicle.sentences, strict=True)
    )


def test_the_terminal_shows_what_the_lines_say():
    chronicle = told("the invented case")[3]
    screen = Console(file=io.StringIO(), width=100, force_terminal=False)
    screen.print(*chronicle_texts(chronicle, screen.width), sep="\n")
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert " ".join(shown.split()) == " ".join(" ".join(chronicle.lines()).split())
    assert max(map(len, shown.splitlines())) <= 100


def test_a_replay_takes_the_configured_seed_or_the_one_it_is_given():
    short = {"calendar.days": 134}
    given, other = (replay(run=3, seed=seed, overrides=short) for seed in (0, 5))
    config = load(["seed=5", "calendar.days=134"])
    assert other.found.sentences == chronicle_of(config, 3).sentences != given.found.sentences
    states = other.data.isel(run=0)
    assert np.array_equal(states["war_risk"], other.found.states.run["war_risk"])
    assert replay(run=3, overrides={**short, "seed": 5}).found.title == "Documented history (article): run 3 of seed 5"
    with pytest.raises(UserError, match="run"):
        replay(run=-1)


def test_dates_are_spelled_by_the_calendar():
    scenario, _, _, chronicle = told("the invented case")
    assert long_date(chronicle.date_of(100)) == long_date(scenario.calendar.date_of(100)) == "9 June 2031"
