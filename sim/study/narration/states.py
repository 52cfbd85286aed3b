"""What is told of the patron, the mediators, the rival, the target and the ladder."""

from collections.abc import Iterator

from sim.engine.samplers import picked
from sim.engine.trace import Decision
from sim.rules import ladder as rungs
from sim.rules import mediator, patron, rival, target
from sim.study.chronicle import Sentence, spelled
from sim.study.narration.scene import Book, Scene, number, own, share, soldiers

TOLD_FROM = 3.0
"""Lowest rung of the ladder that is told."""

MARKS_OF_PRESSURE = (0.25, 0.5, 0.75)
"""The mediators' pressure is told whenever it crosses one of these."""


def gates(scene: Scene, book: Book, before: Book) -> Iterator[Sentence]:
    """How far the rival's war opens the gate for attacks, where that changed."""
    for place, new, past in book.changes(before, "rival", rival.war_gate):
        if past is not None:
            text = (
                f"{own(scene.names.rival)} war went on at an intensity of {number(new.inputs['intensity'])}: "
                f"{share(new.result)} of the attacks in {scene.theatres[place]} had their reason."
            )
            yield scene.said("rivalry", text, new)


def alarm(scene: Scene, book: Book, before: Book) -> Iterator[Sentence]:
    """The patron's fear: acts against it, its phases, an open answer."""
    risk, shocks = book.one("patron", patron.war_risk), book.all("patron", patron.death_shock)
    if risk.inputs["acts"] > 0.0:
        yield scene.said("alarm", _act(scene, risk), risk, *shocks)
    phase = book.one("patron", patron.next_phase)
    if phase.result != phase.inputs["phase"]:
        chances = book.all("patron", patron.release_chance)
        yield scene.said("alarm", _turn(scene, phase, risk), phase, *shocks, risk, *chances)
    for answer in book.all("patron", patron.answers):
        if answer.result:
            text = (
                f"{scene.names.patron} answered the act openly (chance {number(answer.inputs['chance'])}, "
                f"draw {number(answer.inputs['draw'])})."
            )
            yield scene.said("alarm", text, answer)


def _act(scene: Scene, risk: Decision) -> str:
    return (
        f"{scene.names.patron} was hit itself: acts of weight {number(risk.inputs['acts'])} brought the war risk that "
        f"it perceived to {number(risk.result)}."
    )


def _turn(scene: Scene, phase: Decision, risk: Decision) -> str:
    name, inputs = scene.names.patron, phase.inputs
    if phase.result in (patron.DELIBERATING, patron.ALARMED_AGAIN):
        again = " again" if phase.result == patron.ALARMED_AGAIN else ""
        return (
            f"{name} took alarm{again}: the war risk that it perceived, {number(inputs['war_risk'])}, reached "
            f"{number(inputs['threshold'])}; {_causes(risk)}."
        )
    if phase.result == patron.RESTRAINING:
        return f"{name} decided to hold its proxies back, after {number(inputs['days'])} days of deliberation."
    return (
        f"{name} let go after {number(inputs['days'])} days: chance {number(inputs['release'])} "
        f"(war risk {number(inputs['war_risk'])}), draw {number(inputs['draw'])}."
    )


def _causes(risk: Decision) -> str:
    """What the war risk of today is made of."""
    inputs = risk.inputs
    parts = {
        "left of yesterday's": inputs["now"] * inputs["kept"],
        "from strikes": inputs["per_strike"] * inputs["strikes"],
        "from deaths": inputs["per_death"] * inputs["shock"],
        "from an announced response": inputs["of_threat"] * inputs["threat"],
        "from acts against it": inputs["per_act"] * inputs["acts"],
    }
    return ", ".join(f"{number(part)} {name}" for name, part in parts.items() if part > 0.0)


def orders(scene: Scene, book: Book, before: Book) -> Iterator[Sentence]:
    """Orders that are not those of yesterday."""
    for place, new, _ in book.changes(before, "patron", patron.directive):
        text = (
            f"{own(scene.names.patron)} order for {scene.theatres[place]}: {_order(new)}, known there from "
            f"{spelled(scene.date_of(new.day + 1))}."
        )
        yield scene.said("order", text, new, book.one("patron", patron.next_phase))


def _order(directive: Decision) -> str:
    inputs, asked = directive.inputs, directive.result
    if asked >= 1.0:
        return "attack at full strength"
    if asked == 0.0:
        return "stop all attacks"
    if inputs["phase"] == patron.RESTRAINING and asked < inputs["standing"]:
        return f"hold back to {share(asked)} of a full campaign"
    if inputs["phase"] > patron.RESTRAINING and asked < inputs["standing"]:
        return f"attack again, up to {share(asked)} of a full campaign"
    return f"none, which leaves {share(asked)} of a full campaign"


def mediation(scene: Scene, book: Book, before: Book) -> Iterator[Sentence]:
    """Notable steps of the mediators' pressure."""
    one = book.one("mediators", mediator.pressure)
    if any((one.inputs["now"] < mark) != (one.result < mark) for mark in MARKS_OF_PRESSURE):
        moved = "rose" if one.result > one.inputs["now"] else "fell"
        text = (
            f"Pressure of the mediators ({scene.names.mediators}) {moved} to {number(one.result)}, from "
            f"{number(one.inputs['now'])}."
        )
        yield scene.said("mediation", text, one)


def responses(scene: Scene, book: Book, before: Book) -> Iterator[Sentence]:
    """How the target answered the day: announced, struck, or let a chance pass."""
    yield from _major(scene, book)
    yield from _limited(scene, book)
    yield from _leader(scene, book)
    for one in book.all("target", target.strikes_patron):
        if one.result:
            text = (
                f"{scene.names.target} struck {scene.names.patron} itself: the day had reached rung "
                f"{number(one.inputs['rung'])}, and from {number(one.inputs['threshold'])} on it does."
            )
            yield scene.said("response", text, one)


def _major(scene: Scene, book: Book) -> Iterator[Sentence]:
    fell, pending = book.one("target", target.major_falls), book.one("target", target.days_pending)
    if fell.result:
        why = "as the timeline has it" if fell.inputs["forced"] else "as announced"
        yield scene.said("response", f"{scene.names.target} carried out a major response, {why}.", fell)
    if pending.result > 0.0 and pending.inputs["pending"] <= 0.0:
        text = (
            f"{scene.names.target} announced a major response to the death of {soldiers(pending.inputs['killed'])}, "
            f"due in {number(pending.result)} days."
        )
        yield scene.said("response", text, pending)


def _limited(scene: Scene, book: Book) -> Iterator[Sentence]:
    fell, chance = book.one("target", target.limited_falls), book.one("target", target.limited_chance)
    if fell.result:
        why = "as the timeline has it" if fell.inputs["forced"] else f"draw {number(fell.inputs['draw'])}"
        text = (
            f"{scene.names.target} answered with a limited strike: provocation {number(chance.inputs['provocation'])} "
            f"over a threshold of {number(chance.inputs['threshold'])}, chance {number(chance.result)}, {why}."
        )
        yield scene.said("response", text, fell, book.one("target", target.provocation), chance)
        yield from _whom(scene, book)


def _leader(scene: Scene, book: Book) -> Iterator[Sentence]:
    choice = book.one("target", target.leader_choice)
    quiet, patience = choice.inputs["quiet"], choice.inputs["patience"]
    chance = f"chance {number(choice.inputs['opportunity'])} a day, draw {number(choice.inputs['draw'])}"
    reason = book.one("target", target.quiet_days)
    if choice.result == target.STRUCK:
        text = f"{scene.names.target} took a chance to strike a militia leader ({chance})."
        yield scene.said("response", text, choice, reason)
        yield from _whom(scene, book)
    if choice.result == target.DECLINED:
        text = (
            f"{scene.names.target} declined to strike a militia leader ({chance}): it had been quiet for "
            f"{number(quiet)} days, and {number(patience)} are enough."
        )
        yield scene.said("response", text, choice, reason)


def _whom(scene: Scene, book: Book) -> Iterator[Sentence]:
    """Whom the strike hit, and how blame was laid."""
    for one in book.all("target", picked):
        if one.result >= 0:
            blamed, wing = book.one("target", target.attributed), scene.strikable[one.result]
            why = "blamed by recent attacks" if blamed.result else "with all alike to blame"
            text = (
                f"The strike hit {scene.wings[wing]}, {why} (weight {number(one.inputs['weights'][one.result])}, "
                f"draw {number(one.inputs['draw'])})."
            )
            yield scene.said("response", text, one, blamed, *book.all("target", target.blame))


def ladder(scene: Scene, book: Book, before: Book) -> Iterator[Sentence]:
    """High rungs, and direct war."""
    first, last = book.all("ladder", rungs.highest)
    if last.result >= TOLD_FROM:
        text = f"The day reached rung {number(last.result)} of the ladder: {scene.scenario.rungs[int(last.result)]}."
        yield scene.said("ladder", text, last, book.one("ladder", rungs.rung), first)
    for one in book.all("ladder", rungs.breaks_out):
        if one.result:
            risk, chance = book.one("patron", patron.war_risk), book.one("ladder", rungs.war_chance)
            text = (
                f"Direct war broke out between {scene.names.patron} and {scene.names.target}: war risk "
                f"{number(risk.result)}, chance {number(one.inputs['likely'])}, draw {number(one.inputs['draw'])}."
            )
            yield scene.said("war", text, one, risk, book.one("ladder", rungs.recent_rung), chance)
