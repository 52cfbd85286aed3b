"""What is told of the militia wings: obedience, attacks, what became of these, and strikes on them."""

from collections.abc import Iterator
from typing import Final

from sim.engine.samplers import poisson
from sim.engine.trace import Decision
from sim.rules import casualties, militia, observation, target
from sim.rules import decisions as decide
from sim.rules.outcomes import COMPLIANT
from sim.study.chronicle import ELSEWHERE, Sentence
from sim.study.narration.scene import Book, Scene, number, soldiers, times

BY_CHANCE: Final = {
    casualties.UNNOTICED: "gone unnoticed",
    casualties.ACKNOWLEDGED: "been fended off",
    casualties.HIT: "got through without killing",
    casualties.LETHAL: "killed",
}


def compliance(scene: Scene, book: Book, before: Book) -> Iterator[Sentence]:
    """Wings that begin or cease to comply."""
    for wing, name in scene.wings.items():
        one = book.one(wing, militia.compliance)
        was, now = one.inputs["now"], one.result
        if (was < COMPLIANT) == (now < COMPLIANT):
            continue
        reasons = book.one(wing, militia.compliance_goal), book.one(wing, militia.compliance_speed)
        moved = "fell in line" if now > was else "slipped out of line"
        goal = one.inputs["goal"] if one.inputs["directive"] < 1.0 else 0.0
        text = f"{name} {moved}: compliance {number(now)} after {number(was)}, bound for {number(goal)}."
        yield scene.said("compliance", text, one, *reasons)


def attacks(scene: Scene, book: Book, before: Book) -> Iterator[Sentence]:
    """Attacks of every wing."""
    for wing, name in scene.wings.items():
        made, rate = book.one(wing, militia.attacks_made), book.one(wing, militia.attack_rate)
        if made.result > 0.0:
            kind = "attack" if scene.at_target(wing) else ELSEWHERE
            count = _draws(book, wing, decide.COUNT)
            text = (
                f"{name} attacked {times(made.result)} (rate {number(rate.result)} a day, "
                f"draw {number(count.inputs['draw'])})."
            )
            if made.result == count.result:
                yield scene.said(kind, text, count, rate)
            else:
                yield scene.said(kind, f"{name} attacked {times(made.result)}, as documented.", made, rate, count)


def fates(scene: Scene, book: Book, before: Book) -> Iterator[Sentence]:
    """Attacks that got through, and those that nobody noticed."""
    for wing in scene.wings:
        drawn, final = book.all(wing, casualties.fate), book.all(wing, casualties.pinned_fate)
        for k, (fate, pinned) in enumerate(zip(drawn, final, strict=True)):
            yield from _fate(scene, book, fate, pinned)
            if pinned.result >= casualties.HIT:
                yield from _injuries(scene, book, wing, k)
            if pinned.result == casualties.LETHAL:
                yield from _deaths(scene, book, wing, k)


def _fate(scene: Scene, book: Book, fate: Decision, pinned: Decision) -> Iterator[Sentence]:
    name, draw = scene.wings[fate.actor], number(fate.inputs["draw"])
    chances = (*book.all(fate.actor, observation.small_share), *book.all(fate.actor, observation.dampened))
    if pinned.result != fate.result:
        ends = "killed" if pinned.result == casualties.LETHAL else "got through without killing"
        text = f"An attack of {name} {ends}, as documented; by chance it would have {BY_CHANCE[fate.result]}."
        yield scene.said("casualties", text, pinned, *chances, fate)
    elif fate.result == casualties.UNNOTICED:
        text = f"An attack of {name} went unnoticed (chance of being seen {number(fate.inputs['seen'])}, draw {draw})."
        yield scene.said("attack", text, fate, *chances)
    elif fate.result >= casualties.HIT:
        ends = "got through and killed" if fate.result == casualties.LETHAL else "got through"
        text = f"An attack of {name} {ends} (chance of getting through {number(fate.inputs['through'])}, draw {draw})."
        yield scene.said("casualties", text, fate, *chances)


def _injuries(scene: Scene, book: Book, wing: str, k: int) -> Iterator[Sentence]:
    injured = _draws(book, wing, decide.INJURED + k)
    if injured.result > 0:
        text = f"It injured {soldiers(injured.result)} (draw {number(injured.inputs['draw'])})."
        yield scene.said("casualties", text, injured)


def _deaths(scene: Scene, book: Book, wing: str, k: int) -> Iterator[Sentence]:
    pairs = zip(book.all(wing, casualties.killed), book.all(wing, casualties.toll), strict=True)
    killed, toll = next(pair for pair in pairs if _decision(pair[0]) == decide.KILLED + k)
    if toll.inputs["pinned"]:
        yield scene.said("casualties", f"It killed {soldiers(toll.result)}, as documented.", toll, killed)
    else:
        text = f"It killed {soldiers(killed.result)} (draw {number(killed.inputs['draw'])})."
        yield scene.said("casualties", text, killed)


def strikes(scene: Scene, book: Book, before: Book) -> Iterator[Sentence]:
    """Strikes of a major response, and scheduled ones where they begin or change."""
    for wing, name in scene.wings.items():
        one = book.one(wing, target.strikes_on_wing)
        if one.inputs["in_major"]:
            text = f"The major response hit {name}, with the force of {number(one.result)} limited strikes."
            yield scene.said("strike", text, one)
        raid = one.inputs["raid"]
        if raid > 0.0 and raid not in (past.inputs["raid"] for past in before.all(wing, target.strikes_on_wing)):
            text = f"{scene.names.target} began to strike {name} by plan, {number(raid)} limited strikes a day."
            yield scene.said("strike", text, one)


def _draws(book: Book, wing: str, decision: int) -> Decision:
    """The count that was drawn for one decision."""
    return next(one for one in book.all(wing, poisson) if _decision(one) == decision)


def _decision(one: Decision) -> int:
    return -1 if one.address is None else one.address.decision
