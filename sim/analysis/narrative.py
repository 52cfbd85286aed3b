"""One history as a chronicle: what is narrated of each day's decisions, in which words, and on which reasons it rests.

Each sentence carries what is needed to work it out again.
"""

import csv
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any, Final

from sim.engine.reference.model import StateTable
from sim.engine.trace import Decision, DrawAddress, Rule
from sim.experiment.formats import number, possessive, soldiers, times
from sim.model.scenario import Scenario
from sim.model.timeline import long_date
from sim.numbers.philox import split_seed, uniform
from sim.rules import casualties, mediator, militia, observation, patron, rates, rival, target
from sim.rules import decisions as decide
from sim.rules import ladder as rungs
from sim.rules.outcomes import COMPLIANT
from sim.rules.samplers import poisson, sample_categorical

ELSEWHERE: Final = "elsewhere"
"""Kind of the sentences about attacks on others than the target: too many to print one by one."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What happened, and why: the rule that decided, its inputs by name, its result and the draw, if chance took part.

    `kind` is one of attack, elsewhere, casualties, response, strike, order, alarm, compliance, pause, mediation,
    rivalry, ladder, war; `actor` a role, the id of a wing or the name of a group. `reasons` are the decisions whose
    results went into this one.
    """

    day: int
    date: date
    kind: str
    actor: str
    text: str
    rule: Rule
    inputs: dict[str, Any]
    result: Any
    address: DrawAddress | None
    draw: float | None
    reasons: tuple[Decision, ...] = ()

    @property
    def decision(self) -> Decision:
        """The decision that the sentence is about."""
        return Decision(self.day, self.actor, self.rule, self.inputs, self.result, self.address)

    def holds(self) -> bool:
        """Whether rules, draws and the way from the reasons to the decision come out again as they are stated."""
        chain = (*self.reasons, self.decision)
        used = [flat(one.inputs.values()) for one in chain]
        leads = all(any(one.result in inputs for inputs in used[place + 1 :]) for place, one in enumerate(self.reasons))
        return leads and self.draw == self.decision.draw and all(comes_out(one) for one in chain)


def flat(values: Iterable[Any]) -> list[Any]:
    """The values, with those inside tuples one by one."""
    return [one for value in values for one in (value if isinstance(value, tuple) else (value,))]


def comes_out(decision: Decision) -> bool:
    """Whether the rule gives the result again, and the address the draw.

    >>> from sim.rules.rates import episode_ends
    >>> comes_out(Decision(0, "ladder", episode_ends, {"hazard": 0.5, "limit": 0.1}, False, None))
    False
    """
    address = decision.address
    if address is not None:
        low, high = split_seed(address.seed)
        if uniform(low, high, *address[1:]) != decision.draw:
            return False
    return bool(decision.rule(**decision.inputs) == decision.result)


class NarratedDay:
    """The decisions of one day and of the day before, to be looked up by who took them and by which rule.

    `strikable` are the ids of the wings that responses can hit, in order; `limits` the limits of all episodes begun so
    far, by who draws them and their value.
    """

    def __init__(
        self,
        scenario: Scenario,
        strikable: tuple[str, ...],
        today: Sequence[Decision],
        before: Sequence[Decision],
        limits: Mapping[tuple[str, float], Decision],
    ) -> None:
        self.scenario, self.strikable, self.roles = scenario, strikable, asdict(scenario.cast.names)
        self._limits = limits
        self.wings = {key: wing.name for key, wing in scenario.cast.wings.items()}
        self.theatres = tuple(theatre.name for theatre in scenario.cast.theatres.values())
        self._found, self._before = _by_rule(today), _by_rule(before)

    def all(self, actor: str, rule: Rule) -> list[Decision]:
        """Every time that an actor applied a rule, in order."""
        return self._found.get((actor, rule), [])

    def one(self, actor: str, rule: Rule) -> Decision:
        """The first time that an actor applied a rule."""
        return self._found[actor, rule][0]

    def yesterday(self, actor: str, rule: Rule) -> list[Decision]:
        """Every time that an actor applied a rule on the day before."""
        return self._before.get((actor, rule), [])

    def changes(self, actor: str, rule: Rule) -> Iterator[tuple[int, Decision, Decision | None]]:
        """Place, decision and yesterday's decision, wherever the result is not that of yesterday."""
        for place, (new, past) in enumerate(zip_longest(self.all(actor, rule), self.yesterday(actor, rule))):
            if new is not None and (past is None or past.result != new.result):
                yield place, new, past

    def episode(self, actor: str, owner: str) -> tuple[Decision, Decision, Decision]:
        """The hazard of an actor's episode today, its limit, and whether it ends; `owner` drew the limit's number."""
        ends = self.one(actor, rates.episode_ends)
        return self.one(actor, rates.cumulative_hazard), self._limits[owner, ends.inputs["limit"]], ends

    def drawn(self, wing: str, decision: int) -> Decision:
        """The count that was drawn for one decision of a wing."""
        return next(one for one in self.all(wing, poisson) if _number_of(one) == decision)

    def said(self, kind: str, text: str, decision: Decision, *reasons: Decision, **words: str) -> Sentence:
        """A sentence about one decision, resting on earlier ones.

        Names in braces stand for `words`, the names of roles, the `wing` that decided, and numbers: the decision's
        inputs and its `result`.
        """
        names = {**self.roles, "wing": self.wings.get(decision.actor, ""), **words}
        text = text.format_map(_Words(decision, names))
        when, text = self.scenario.calendar.date_of(decision.day), text[0].upper() + text[1:]
        return Sentence(
            decision.day, when, kind, decision.actor, text, decision.rule, decision.inputs, decision.result,
            decision.address, decision.draw, reasons,
        )  # fmt: skip


def _by_rule(decisions: Sequence[Decision]) -> dict[tuple[str, Rule], list[Decision]]:
    found: dict[tuple[str, Rule], list[Decision]] = {}
    for one in decisions:
        found.setdefault((one.actor, one.rule), []).append(one)
    return found


class _Words(dict[str, str]):
    """The words of a sentence by name: those that are given, else the numbers of a decision."""

    def __init__(self, decision: Decision, given: dict[str, str]) -> None:
        super().__init__(given)
        self._numbers = {**decision.inputs, "result": decision.result}

    def __missing__(self, name: str) -> str:
        return number(self._numbers[name])


def _number_of(one: Decision) -> int:
    return -1 if one.address is None else one.address.decision


# --- the parts of a day -------------------------------------------------------------------------------------

BY_CHANCE: Final = {
    casualties.UNNOTICED: "gone unnoticed",
    casualties.ACKNOWLEDGED: "been fended off",
    casualties.HIT: "got through without killing",
    casualties.LETHAL: "killed",
}
NARRATED_FROM: Final = 3.0
"""Lowest rung of the ladder that is narrated."""
MARKS_OF_PRESSURE: Final = (0.25, 0.5, 0.75)
"""The mediators' pressure is narrated whenever it crosses one of these."""
TIMELINE: Final = "as the timeline has it"


def gates(day: NarratedDay) -> Iterator[Sentence]:
    """How far the rival's war opens the gate for attacks, where that changed."""
    for place, new, past in day.changes("rival", rival.war_gate):
        if past is not None:
            whose, share = possessive(day.roles["rival"]), f"{new.result:.0%}"
            text = f"{{whose}} war went on at an intensity of {{intensity}}: {share} of the attacks in {{place}} had"
            text += " their reason."
            yield day.said("rivalry", text, new, whose=whose, place=day.theatres[place])


def alarm(day: NarratedDay) -> Iterator[Sentence]:
    """The patron's fear: acts against it, its phases, an open answer."""
    risk, shocks = day.one("patron", patron.war_risk), day.all("patron", patron.death_shock)
    alarms = day.all("patron", patron.alarm)
    if (acts := alarms[-1].inputs["size"]) > 0.0:
        text = "{patron} was hit itself: acts of weight {acts} brought the war risk that it perceived to {result}."
        yield day.said("alarm", text, risk, *shocks, *alarms, acts=number(acts))
    turn, final = day.one("patron", patron.next_phase), day.one("patron", patron.documented_phase)
    if final.result != turn.result and final.result != final.inputs["before"]:
        yield day.said("alarm", "{patron} decided to hold its proxies back, as documented.", final, turn)
    elif final.result == turn.result != turn.inputs["phase"]:
        yield from _turn(day, turn, (*shocks, *alarms, risk), _causes(risk))
    for answer in day.all("patron", patron.answers):
        if answer.result:
            yield day.said("alarm", "{patron} answered the act openly (chance {probability}, draw {draw}).", answer)


def _turn(day: NarratedDay, phase: Decision, risks: tuple[Decision, ...], causes: str) -> Iterator[Sentence]:
    if phase.result in (patron.DELIBERATING, patron.ALARMED_AGAIN):
        again = " again" if phase.result == patron.ALARMED_AGAIN else ""
        text = f"{{patron}} took alarm{again}: the war risk that it perceived, {{war_risk}}, reached {{threshold}};"
        yield day.said("alarm", f"{text} {{causes}}.", phase, *risks, causes=causes)
    elif phase.result == patron.RESTRAINING:
        text = "{patron} decided to hold its proxies back, after {days} days of deliberation."
        yield day.said("alarm", text, phase, *risks)
    else:
        episode, rate = day.episode("patron", "patron"), day.one("patron", patron.release_rate)
        text = f"{{patron}} let go after {{days}} days: war risk {{war_risk}}, {_hazard(*episode)}."
        yield day.said("alarm", text, phase, *risks, rate, *episode)


def _hazard(total: Decision, limit: Decision, _: Decision) -> str:
    """How an episode came to its end, by the one random number that was drawn when it began."""
    rate, hazard, most, draw = map(number, (total.inputs["rate"], total.result, limit.result, limit.inputs["draw"]))
    return f"rate {rate} a day, cumulative hazard {hazard} reached {most} (draw {draw})"


def _causes(risk: Decision) -> str:
    """What the war risk of today is made of."""
    inputs = risk.inputs
    parts = {
        "left of yesterday's": inputs["now"] * inputs["kept"],
        "from strikes": inputs["strikes"],
        "from deaths": inputs["deaths"],
        "from an announced response": inputs["threat"],
        "from acts against it": inputs["acts"],
    }
    return ", ".join(f"{number(part)} {name}" for name, part in parts.items() if part > 0.0)


def orders(day: NarratedDay) -> Iterator[Sentence]:
    """Orders that are not those of yesterday."""
    for place, new, _ in day.changes("patron", patron.directive):
        known = long_date(day.scenario.calendar.date_of(new.day + 1))
        words = {"whose": possessive(day.roles["patron"]), "place": day.theatres[place], "known": known}
        text = f"{{whose}} order for {{place}}: {_order(new)}, known there from {{known}}."
        yield day.said("order", text, new, day.one("patron", patron.documented_phase), **words)


def _order(directive: Decision) -> str:
    inputs, asked = directive.inputs, directive.result
    if asked >= 1.0:
        return "attack at full strength"
    if asked == 0.0:
        return "stop all attacks"
    if inputs["phase"] == patron.RESTRAINING and asked < inputs["standing"]:
        return f"hold back to {asked:.0%} of a full campaign" if asked >= 0.005 else "stop almost all attacks"
    if inputs["phase"] > patron.RESTRAINING and asked < inputs["standing"]:
        return f"attack again, up to {asked:.0%} of a full campaign"
    return f"none, which leaves {asked:.0%} of a full campaign"


def mediation(day: NarratedDay) -> Iterator[Sentence]:
    """Notable steps of the mediators' pressure."""
    one = day.one("mediators", mediator.pressure)
    if any((one.inputs["now"] < mark) != (one.result < mark) for mark in MARKS_OF_PRESSURE):
        moved = "rose" if one.result > one.inputs["now"] else "fell"
        text = "Pressure of the mediators ({mediators}) {moved} to {result}, from {now}."
        yield day.said("mediation", text, one, moved=moved)


def pauses(day: NarratedDay) -> Iterator[Sentence]:
    """Groups that decide to pause, or to fight again, with the wing that persuaded them."""
    for group in day.scenario.cast.groups:
        for ends in day.all(group, rates.episode_ends):
            if ends.result:
                yield _decided_by_group(day, group)


def _decided_by_group(day: NarratedDay, group: str) -> Sentence:
    total, limit, ends = day.episode(group, group)
    wings = [wing for wing, one in day.scenario.cast.wings.items() if one.group == group]
    for rule in (militia.pause_rate, militia.resume_rate):
        for rate in (one for wing in wings for one in day.all(wing, rule)):
            if rate.result == total.inputs["rate"]:
                reasons, how = (rate, total, limit), _hazard(total, limit, ends)
                if rule is militia.pause_rate:
                    conviction = day.one(rate.actor, militia.conviction)
                    text = f"{group} decided to pause: conviction {number(conviction.result)}, {how}."
                    return day.said("pause", text, ends, conviction, *reasons)
                stands = "while the order stood" if rate.inputs["stands"] else "as no order to hold back stood"
                return day.said("pause", f"{group} decided to fight again {stands}: {how}.", ends, *reasons)
    raise AssertionError(f"no wing persuaded {group}")


def compliance(day: NarratedDay) -> Iterator[Sentence]:
    """Wings that begin or cease to comply by degrees; where groups decide, `pauses` says so."""
    for one in (one for wing in day.wings for one in day.all(wing, militia.compliance)):
        wing = one.actor
        was, now = one.inputs["now"], one.result
        if (was < COMPLIANT) != (now < COMPLIANT):
            moved = "fell in line" if now > was else "slipped out of line"
            goal = number(one.inputs["goal"] if one.inputs["directive"] < 1.0 else 0.0)
            reasons = day.one(wing, militia.compliance_goal), day.one(wing, militia.compliance_speed)
            text = f"{{wing}} {moved}: compliance {{result}} after {{now}}, bound for {goal}."
            yield day.said("compliance", text, one, *reasons)


def attacks(day: NarratedDay) -> Iterator[Sentence]:
    """Attacks of every wing."""
    for wing in day.wings:
        made = day.one(wing, militia.attacks_made)
        if made.result > 0.0:
            kind = "attack" if day.scenario.cast.strikable(wing) else ELSEWHERE
            theatre = day.scenario.cast.wings[wing].theatre
            rules = militia.attack_rate, militia.paused_attack_rate, militia.rate_under_order
            shocks = day.all(theatre, militia.burst_factor) if (burst := day.all(wing, militia.rate_in_burst)) else []
            reasons = (*(one for rule in rules for one in day.all(wing, rule)), *shocks, *burst)
            count, text = day.drawn(wing, decide.COUNT), f"{{wing}} attacked {times(made.result)}"
            if made.result == count.result:
                text = f"{text} (rate {number(count.inputs['mean'])} a day, draw {{draw}})."
                yield day.said(kind, text, count, *reasons)
            else:
                yield day.said(kind, f"{text}, as documented.", made, *reasons, count)


def fates(day: NarratedDay) -> Iterator[Sentence]:
    """Attacks that got through, and those that went unnoticed."""
    for wing in day.wings:
        drawn, final = day.all(wing, casualties.fate), day.all(wing, casualties.pinned_fate)
        for k, (fate, pinned) in enumerate(zip(drawn, final, strict=True)):
            yield from _fate(day, fate, pinned)
            if pinned.result >= casualties.HIT:
                injured = day.drawn(wing, decide.INJURED + k)
                if injured.result > 0:
                    text = f"{{wing}} injured {soldiers(injured.result)} (draw {{draw}})."
                    yield day.said("casualties", text, injured)
            if pinned.result == casualties.LETHAL:
                pairs = zip(day.all(wing, casualties.number_killed), day.all(wing, casualties.toll), strict=True)
                killed, toll = next(pair for pair in pairs if _number_of(pair[0]) == decide.KILLED + k)
                text = f"{{wing}} killed {soldiers(toll.result)}"
                if toll.inputs["pinned"]:
                    yield day.said("casualties", f"{text}, as documented.", toll, killed)
                else:
                    yield day.said("casualties", f"{{wing}} killed {soldiers(killed.result)} (draw {{draw}}).", killed)


def _fate(day: NarratedDay, fate: Decision, pinned: Decision) -> Iterator[Sentence]:
    chances = (*day.all(fate.actor, observation.small_share), *day.all(fate.actor, observation.mix_small))
    if pinned.result != fate.result:
        ends = "killed" if pinned.result == casualties.LETHAL else "got through without killing"
        text = f"An attack of {{wing}} {ends}, as documented; by chance it would have {BY_CHANCE[fate.result]}."
        yield day.said("casualties", text, pinned, *chances, fate)
    elif fate.result == casualties.UNNOTICED:
        text = "An attack of {wing} went unnoticed (chance of being seen {seen}, draw {draw})."
        yield day.said("attack", text, fate, *chances)
    elif fate.result >= casualties.HIT:
        ends = "got through and killed" if fate.result == casualties.LETHAL else "got through"
        text = f"An attack of {{wing}} {ends} (chance of getting through {{through}}, draw {{draw}})."
        yield day.said("casualties", text, fate, *chances)


def responses(day: NarratedDay) -> Iterator[Sentence]:
    """How the target answered the day: announced, struck, or let a chance pass."""
    fell, pending = day.one("target", target.major_response_occurs), day.one("target", target.days_pending)
    if fell.result:
        why = TIMELINE if fell.inputs["forced"] else "as announced"
        yield day.said("response", "{target} carried out a major response, {why}.", fell, why=why)
    if pending.result > 0.0 and pending.inputs["pending"] <= 0.0:
        text = "{target} announced a major response to the death of {whose}, due in {result} days."
        yield day.said("response", text, pending, whose=soldiers(pending.inputs["killed"]))
    yield from _limited(day)
    yield from _leader(day)
    for one in day.all("target", target.strikes_patron):
        if one.result:
            text = "{target} struck {patron} itself: the day had reached rung {rung}, and from {threshold} on it does."
            yield day.said("response", text, one)


def _limited(day: NarratedDay) -> Iterator[Sentence]:
    fell = day.one("target", target.limited_response_occurs)
    if fell.result:
        chance = day.one("target", target.limited_response_probability)
        why = TIMELINE if fell.inputs["forced"] else "draw {draw}"
        provocation, threshold = (number(chance.inputs[name]) for name in ("provocation", "threshold"))
        text = (
            f"{{target}} answered with a limited strike: provocation {provocation} over a threshold of {threshold},"
            f" chance {number(chance.result)}, {why}."
        )
        yield day.said("response", text, fell, day.one("target", target.provocation), chance)
        yield from _whom(day)


def _leader(day: NarratedDay) -> Iterator[Sentence]:
    choice, reason = day.one("target", target.leader_choice), day.one("target", target.quiet_days)
    chance = "(chance {opportunity} a day, draw {draw})"
    if choice.result == target.STRUCK:
        yield day.said("response", f"{{target}} took a chance to strike a militia leader {chance}.", choice, reason)
        yield from _whom(day)
    if choice.result == target.DECLINED:
        text = (
            f"{{target}} declined to strike a militia leader {chance}: it had been quiet for {{quiet}} days, and"
            " {patience} are enough."
        )
        yield day.said("response", text, choice, reason)


def _whom(day: NarratedDay) -> Iterator[Sentence]:
    """Whom the strike hit, and how blame was laid."""
    for one in day.all("target", sample_categorical):
        if one.result >= 0:
            blamed, wing = day.one("target", target.attribution_succeeds), day.strikable[one.result]
            why = "blamed by recent attacks" if blamed.result else "with all alike to blame"
            weight = number(one.inputs["weights"][one.result])
            text = f"The strike hit {{wing}}, {why} (weight {weight}, draw {{draw}})."
            reasons = (blamed, *day.all("target", target.targeting_weight))
            yield day.said("response", text, one, *reasons, wing=day.wings[wing])


def strikes(day: NarratedDay) -> Iterator[Sentence]:
    """Strikes of a major response, and scheduled ones where they begin or change."""
    for wing in day.wings:
        one = day.one(wing, target.strikes_on_wing)
        if one.inputs["in_major"]:
            text = "The major response hit {wing}, with the force of {result} limited strikes."
            yield day.said("strike", text, one)
        raid = one.inputs["raid"]
        if raid > 0.0 and raid not in (past.inputs["raid"] for past in day.yesterday(wing, target.strikes_on_wing)):
            text = "{target} began to strike {wing} by plan, {raid} limited strikes a day."
            yield day.said("strike", text, one)


def ladder(day: NarratedDay) -> Iterator[Sentence]:
    """High rungs, and direct war."""
    first, last = day.all("ladder", rungs.highest)
    if last.result >= NARRATED_FROM:
        rung, what = day.one("ladder", rungs.rung), day.scenario.rungs[int(last.result)]
        yield day.said("ladder", "The day reached rung {result} of the ladder: {what}.", last, rung, first, what=what)
    total, limit, ends = day.episode("ladder", "patron")
    if ends.result:
        risk, recent = day.one("patron", patron.war_risk), day.one("ladder", rungs.recent_rung)
        rate = day.one("ladder", rungs.war_rate)
        text = f"Direct war broke out between {{patron}} and {{target}}: war risk {number(risk.result)}"
        yield day.said("war", f"{text}, {_hazard(total, limit, ends)}.", ends, risk, recent, rate, total, limit)


PARTS = (gates, alarm, orders, mediation, pauses, compliance, attacks, fates, responses, strikes, ladder)
"""The parts of a day's story, in the order of the day."""


def narrate(day: NarratedDay) -> Iterator[Sentence]:
    """The sentences of one day. Some things matter only when they are not as they were yesterday."""
    for part in PARTS:
        yield from part(day)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What is printed of one day, or of several days on which nothing happened to the target.

    `attacks_elsewhere` maps the ids of wings to the attacks that they made on others than the target; `elsewhere` says
    it in words and is empty where there were none.
    """

    first: int
    last: int
    heading: str
    sentences: tuple[Sentence, ...]
    attacks_elsewhere: dict[str, int]
    elsewhere: str

    def flow(self) -> list[tuple[str, str]]:
        """Kind and text of sentences of one kind in a row, joined."""
        runs = groupby(self.sentences, key=lambda one: one.kind)
        return [(kind, " ".join(one.text for one in run)) for kind, run in runs]


@dataclass(frozen=True)
class Chronicle:
    """One history in sentences, in the order in which things happened, and the state of every day of it."""

    title: str
    start: date
    days: int
    sentences: tuple[Sentence, ...]
    states: StateTable
    names: dict[str, str]

    def paragraphs(self) -> list[Paragraph]:
        """The sentences by day; days in a row without a sentence share one paragraph."""
        by_day: list[list[Sentence]] = [[] for _ in range(self.days)]
        for sentence in self.sentences:
            by_day[sentence.day].append(sentence)
        matters = [any(one.kind != ELSEWHERE for one in day) for day in by_day]
        spans = groupby(range(self.days), key=lambda day: day if matters[day] else -1)
        return [self._paragraph(list(days), by_day) for _, days in spans]

    def _paragraph(self, days: Sequence[int], by_day: Sequence[Sequence[Sentence]]) -> Paragraph:
        sentences = [one for day in days for one in by_day[day]]
        attacks: Counter[str] = Counter()
        for one in sentences:
            if one.kind == ELSEWHERE:
                attacks[one.actor] += int(one.result)
        main = tuple(one for one in sentences if one.kind != ELSEWHERE)
        first, last = (long_date(self.date_of(day)) for day in (days[0], days[-1]))
        heading = f"Day {days[0]}, {first}" if len(days) == 1 else f"Days {days[0]} to {days[-1]}, {first} to {last}"
        counts = ", ".join(f"{self.names[wing]} {count}" for wing, count in attacks.items())
        elsewhere = f"Attacks elsewhere: {counts}." if counts else ""
        return Paragraph(days[0], days[-1], heading, main, attacks, elsewhere)

    def date_of(self, day: int) -> date:
        """The date of a day number."""
        return date.fromordinal(self.start.toordinal() + day)

    def lines(self) -> Iterator[str]:
        """The chronicle as plain text."""
        yield self.title
        for paragraph in self.paragraphs():
            if paragraph.sentences:
                yield paragraph.heading
                yield from (f"  {text}" for _, text in (*paragraph.flow(), (ELSEWHERE, paragraph.elsewhere)) if text)
            else:
                yield f"{paragraph.heading}: quiet. {paragraph.elsewhere}".rstrip()

    def records(self) -> list[dict[str, Any]]:
        """One mapping for each sentence, of plain values that JSON can hold."""
        return [_record(one) for one in self.sentences]

    def to_json(self, path: Path) -> None:
        """Write title and sentences."""
        content = {"title": self.title, "sentences": self.records()}
        path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")

    def to_csv(self, path: Path) -> None:
        """Write one row for each sentence; inputs, address and reasons as JSON."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(RECORD)
            for row in self.records():
                nested = (isinstance(value, dict | list) for value in row.values())
                writer.writerow(
                    json.dumps(value, allow_nan=False) if packed else value
                    for value, packed in zip(row.values(), nested, strict=True)
                )


RECORD: Final = ("day", "date", "kind", "actor", "text", "rule", "inputs", "result", "address", "draw", "reasons")
"""Names of what a record holds, in order."""


def _record(sentence: Sentence) -> dict[str, Any]:
    found = {name: getattr(sentence, name) for name in RECORD} | _decided(sentence.decision)
    reasons = [{"actor": one.actor, **_decided(one)} for one in sentence.reasons]
    return found | {"date": sentence.date.isoformat(), "reasons": reasons}


def _decided(one: Decision) -> dict[str, Any]:
    return {
        "rule": f"{one.rule.__module__}.{one.rule.__qualname__}",
        "inputs": {name: _plain(value) for name, value in one.inputs.items()},
        "result": _plain(one.result),
        "address": None if one.address is None else one.address._asdict(),
    }


def _plain(value: Any) -> Any:
    """A value that JSON can hold: what is infinite becomes text."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
