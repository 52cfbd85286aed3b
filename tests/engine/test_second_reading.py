"""A second reading of the model: its day in plain Python, as docs/model.md and docs/chance.md say it.

No rule and no engine is called for it, so it notices where the documents and the code say different things. Symbols are
those of section 3.7. From the project come the configuration and the random numbers, uniform and normal.
"""

import ast
from dataclasses import replace
from functools import cache
from math import exp, floor, inf, log, log2, sqrt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.engine.inputs import build_inputs
from sim.engine.reference.model import ReferenceModel, StateTable
from sim.engine.state import RUN_STATE, THEATRE_STATE, WING_STATE
from sim.model.parameters import MECHANISM_NAMES, shared_declarations
from sim.model.scenario import Scenario, load
from sim.numbers.arithmetic import inverse_normal
from sim.numbers.philox import actor_id, compiled_uniform, split_seed
from tests.engine.rows import days_done, design

CALM, DELIBERATING, RESTRAINING, RELEASED, ALARMED_AGAIN = range(5)
UNNOTICED, ACKNOWLEDGED, GOT_THROUGH, LETHAL = range(4)
NO_CHANCE, STRUCK, DECLINED = range(3)
SEED = 20240227


actor_number = cache(actor_id)


def keep(half_life: float) -> float:
    return exp(-log(2.0) / half_life)


def clip(x: float) -> float:
    return min(1.0, max(0.0, x))


def poisson(u: float, mean: float) -> int:
    """The smallest count whose distribution function exceeds u, at most 127."""
    count, term = 0, exp(-mean)
    total = term
    while u >= total and count < 127:
        count += 1
        term *= mean / count
        total += term
    return count


def quiet_day() -> SimpleNamespace:
    """Section 3.3: a day without an event; factors, stances and strikes are by theatre or wing, where there are any."""
    return SimpleNamespace(
        intensity=1.0, talks=0.0, acts=0.0, may_kill=True, pinned="", documented=0, word={}, multiplier={}, supply={},
        stance={}, raids={}, only="",
    )  # fmt: skip


def timeline(scenario: Scenario) -> list[SimpleNamespace]:
    """The events of a scenario, day by day; the later of two decides, but factors multiply, acts and strikes add."""
    days = [quiet_day() for _ in range(scenario.calendar.days)]
    for event in scenario.standing_events():
        hit = [one for one, wing in scenario.cast.wings.items() if event.wing == one or wing.theatre in event.theatres]
        for today in days[event.first : event.last + 1]:
            match event.kind:
                case "intensity" | "talks":
                    setattr(today, event.kind, event.value)
                case "act_against_patron":
                    today.acts += event.value
                case "attack_multiplier" | "supply":
                    factors = today.multiplier if event.kind == "attack_multiplier" else today.supply
                    factors.update({key: factors.get(key, 1.0) * event.value for key in event.theatres})
                case "order":
                    today.stance.update(dict.fromkeys(event.theatres, event.value))
                case "strike":
                    today.raids.update({name: today.raids.get(name, 0.0) + event.value for name in hit})
                case "deaths" | "no_deaths":
                    today.may_kill, today.pinned, today.documented = False, event.wing or "", event.killed
                case "major":
                    today.word["major"], today.only = 1, event.wing or ""
                case _:
                    held = event.kind.startswith("block_")
                    what = event.kind.removeprefix("block_").removesuffix("_response").removesuffix("_strike")
                    today.word[what] = -1 if held else 1
    return days


class SecondReading:
    """One history. Names of states are those of the state table, names of numbers the symbols of the document."""

    def __init__(self, scenario: Scenario, values: dict[str, float], seed: int, run: int) -> None:
        self.seed, self.run, self.scenario, self.day = split_seed(seed), run, scenario, 0
        self.on, self.days = scenario.mechanisms, timeline(scenario)
        self.p = {one.symbol: values[key] for key, one in shared_declarations().items()}
        p = self.p
        p["phi_other"] = p["phi_own"] * p["phi_other/phi_own"]
        p["psi_own"] = max(0.0, p["phi_own"] + p["psi_own - phi_own"])
        p["psi_other"] = p["psi_own"] * p["phi_other/phi_own"]
        self.switch_off()
        gates, follows = float(self.on.rival_war_gate), float(self.on.autonomy)
        self.theatres = {
            key: SimpleNamespace(
                key=key, kind=one.kind, restraint=one.restraint, home=one.mediated,
                gamma=values[f"theatre.{key}.gate"] * p["x_g"] * gates, supply=values[f"theatre.{key}.supply"],
                shock=0.0, burst=1.0, weight=1.0, factor=1.0,
            )
            for key, one in scenario.cast.theatres.items()
        }  # fmt: skip
        self.wings = [
            SimpleNamespace(
                name=name, theatre=one.theatre, group=one.group, collective=one.collective, reached=one.mediated,
                b=values[f"militia.{name}.baseline"] * p["x_b"],
                a=clip(values[f"militia.{name}.autonomy"] * p["x_a"] * follows),
                ideology=clip(values[f"militia.{name}.ideology"] * p["x_i"] * follows),
                paused=False, **dict.fromkeys(WING_STATE.names or (), 0.0),
            )
            for name, one in scenario.cast.wings.items()
        ]  # fmt: skip
        self.start()

    def switch_off(self) -> None:
        """Section 3.6: the numbers of mechanisms that are off."""
        neutral = {
            "fear": {"phi_own": 0.0, "phi_other": 0.0, "J": 0.0},
            "grievance": {"psi_own": 0.0, "psi_other": 0.0},
            "capacity": {"zeta": 0.0, "wear": 0.0},
            "patron_restraint": {"W_alarm": inf},
            "threat_fear": {"w_T": 0.0, "w_t": 0.0},
            "mediation": {"mu_S": 0.0, "mu_K": 0.0, "mu_T": 0.0},
            "limited_response": {"rho": 0.0, "rho_0": 0.0, "p_opp": 0.0},
            "target_restraint": {"T_quiet": inf},
            "observation": {"p_obs": 1.0, "p_obs_small": 1.0},
        }
        for name, numbers in neutral.items():
            if not getattr(self.on, name):
                self.p |= numbers

    def start(self) -> None:
        """Section 3.2."""
        self.war_risk, self.phase, self.phase_days = 0.0, CALM, 0.0
        self.restraint_orders, self.release_hazard, self.release_limit = 0, 0.0, 0.0
        self.gains = self.ordered_attacks = self.pressure = self.felt = 0.0
        self.provocation = self.pending = self.quiet_days = 0.0
        self.attacks = self.acknowledged = self.injured = self.killed = self.lethal = 0.0
        self.answered = self.limited = self.major = self.war = False
        self.leader, self.struck_wing = NO_CHANCE, -1
        self.strikes = self.strikes_home = self.acts = 0.0
        self.rung = self.recent_rung = self.war_hazard = 0.0
        self.war_limit = self.limit("patron", 0, 2)
        for theatre in self.theatres.values():
            theatre.order = theatre.directive = self.standing(theatre, self.days[0])
        for wing in self.wings:
            wing.capacity = 1.0
            wing.compliance = self.held(wing) if self.theatres[wing.theatre].directive < 1.0 else 0.0
        names = dict.fromkeys(wing.group for wing in self.wings) if self.on.pause else {}
        self.groups = [
            SimpleNamespace(name=name, paused=False, episode=0, hazard=0.0, limit=self.limit(f"group {name}", 0, 0))
            for name in names
        ]

    # --- random numbers (docs/chance.md) --------------------------------------------------------------------

    def draw(self, actor: str, decision: int, place: int | None = None) -> float:
        day = self.day if place is None else place
        return float(compiled_uniform(*self.seed, self.run, day, actor_number(actor), decision))

    def limit(self, actor: str, episode: int, decision: int) -> float:
        return -log(1.0 - self.draw(actor, decision, episode))

    # --- the day (section 1.3) ------------------------------------------------------------------------------

    def simulate(self) -> list[dict[str, Any]]:
        """The evening's states of every day, to war or to the end of the calendar."""
        evenings = []
        for day, today in enumerate(self.days):
            self.day, self.today = day, today
            self.patron_assesses()
            self.mediators_press()
            self.groups_decide()
            self.militias_adapt()
            self.militias_attack()
            self.attacks_land()
            self.target_responds()
            self.strikes_land()
            self.ladder_moves()
            evenings.append(
                {name: getattr(self, name) for name in RUN_STATE.names or ()}
                | {name: [getattr(one, name) for one in self.theatres.values()] for name in THEATRE_STATE.names or ()}
                | {f"wing {name}": [getattr(one, name) for one in self.wings] for name in WING_STATE.names or ()}
            )
            if self.war:
                break
        return evenings

    def patron_assesses(self) -> None:
        p, today = self.p, self.today
        acts = today.acts + self.acts
        self.war_risk = (
            self.war_risk * keep(p["h_W"]) + p["w_S"] * self.strikes + p["w_K"] * 1.5 * log2(1.0 + self.killed)
            + p["w_T"] * (self.pending > 0.0) + p["w_E"] * acts
        )  # fmt: skip
        before, days, order = self.phase, self.phase_days + 1.0, today.word.get("restraint_order", 0)
        after = before
        if before == RESTRAINING:
            held = days < p["T_min"] or today.word.get("release", 0) < 0
            self.release_hazard += 0.0 if held else p["k_rel"] * max(0.0, 1.0 - self.war_risk / p["W_alarm"])
            after = RELEASED if self.release_hazard >= self.release_limit else RESTRAINING
        elif before in (DELIBERATING, ALARMED_AGAIN):
            after = RESTRAINING if days >= p["T_delib"] else before
        elif self.war_risk >= p["W_alarm"]:
            after = DELIBERATING if before == CALM else ALARMED_AGAIN
        if order > 0 and self.on.patron_restraint:
            after = RESTRAINING
        elif order < 0 and after == RESTRAINING != before:
            after = before
        self.phase, self.phase_days = after, days if after == before else 0.0
        if after == RESTRAINING != before:
            self.release_hazard, self.release_limit = 0.0, self.limit("patron", self.restraint_orders, 0)
            self.restraint_orders += 1
        answers = acts > 0.0 and self.draw("patron", 1) < p["q_E"]
        self.answered = answers or today.word.get("open_answer", 0) > 0
        self.gains = 1.0 - exp(-self.ordered_attacks / p["N_gains"])
        for theatre in self.theatres.values():
            asked = {RESTRAINING: self.restraint(theatre), CALM: 1.0, DELIBERATING: 1.0}
            released = 1.0 if theatre.restraint == "unchanged" else p["d_release"]
            theatre.directive = theatre.order
            theatre.order = min(self.standing(theatre, today), asked.get(after, released))

    def standing(self, theatre: SimpleNamespace, today: SimpleNamespace) -> float:
        asked = {0.0: self.p["d_free"], 1.0: 1.0, -1.0: self.p["d_reduce"], -2.0: self.p["d_stop"]}
        return asked[today.stance.get(theatre.key, 0.0)]

    def restraint(self, theatre: SimpleNamespace) -> float:
        return {"stop": self.p["d_stop"], "reduce": self.p["d_reduce"], "unchanged": 1.0}[theatre.restraint]

    def mediators_press(self) -> None:
        p, self.felt = self.p, self.pressure
        pressed = p["mu_S"] * self.strikes_home + p["mu_K"] * self.killed + p["mu_T"] * self.today.talks
        self.pressure = min(1.0, self.pressure * keep(p["h_M"]) + pressed)

    def groups_decide(self) -> None:
        for group in self.groups:
            own = [one for one in self.wings if one.group == group.name]
            able = [one for one in own if one.b > 0.0 and self.restraint(self.theatres[one.theatre]) < 1.0]
            rates = [self.resume_rate(one) if group.paused else self.pause_rate(one) for one in able]
            group.hazard += max([0.0, *rates])
            if group.hazard >= group.limit:
                group.paused, group.episode, group.hazard = not group.paused, group.episode + 1, 0.0
                group.limit = self.limit(f"group {group.name}", group.episode, 0)
            for wing in able:
                wing.paused = group.paused

    def pause_rate(self, wing: SimpleNamespace) -> float:
        p = self.p
        conviction = self.stands(wing) * self.goal(wing) + p["w_f"] * wing.fear + p["w_t"] * (self.pending > 0.0)
        return p["r_p"] * conviction * (1.0 - wing.ideology * (1.0 - p["xi"] * self.felt_by(wing)))

    def resume_rate(self, wing: SimpleNamespace) -> float:
        p = self.p
        return ((p["beta"] if self.stands(wing) else p["rho_r"]) + p["k_s"] * wing.struck) * (1.0 - self.felt_by(wing))

    def stands(self, wing: SimpleNamespace) -> bool:
        theatre = self.theatres[wing.theatre]
        restraint = self.restraint(theatre)
        return self.on.obedience and restraint < 1.0 and theatre.directive <= restraint

    def goal(self, wing: SimpleNamespace) -> float:
        return clip(self.held(wing) + self.p["m"] * self.felt_by(wing) + self.p["s"] * self.gains)

    def held(self, wing: SimpleNamespace) -> float:
        return self.p["L"] * (1.0 - wing.a) if self.on.obedience else 0.0

    def felt_by(self, wing: SimpleNamespace) -> float:
        return self.felt if wing.reached else 0.0

    def militias_adapt(self) -> None:
        p = self.p
        for theatre in self.theatres.values():
            if self.on.bursts and theatre.kind == "target" and any(one.theatre == theatre.key for one in self.wings):
                episode, decision = divmod(self.day, 4)
                z = inverse_normal(self.draw(f"theatre {theatre.key}", decision, episode))
                rho = keep(p["h_x"])
                theatre.shock = rho * theatre.shock + p["sigma_x"] * (sqrt(1.0 - rho**2) if self.day else 1.0) * z
                theatre.burst = exp(theatre.shock - p["sigma_x"] ** 2 / 2.0)
        if self.day % 7 == 0:
            self.share_out()
        for wing in self.wings:
            wing.compliance = self.compliance_in_pause(wing) if self.on.pause else self.compliance_by_degrees(wing)
            wing.fear = self.fear(wing)
            shock = p["psi_own"] * wing.struck + p["psi_other"] * wing.nearby
            room = max(0.0, 1.0 - wing.grievance / p["v_max"])
            wing.grievance = min(p["v_max"], wing.grievance * keep(p["h_v"]) + shock * room)
            rebuilt = wing.capacity + self.supply(wing) * (1.0 - wing.capacity) / p["tau"]
            worn = p["wear"] * wing.attacks / max(wing.b, 0.01)
            wing.capacity = clip(rebuilt * exp(-p["zeta"] * wing.struck) - worn)

    def share_out(self) -> None:
        """Section 3.5, shares of theatres; four weeks share a place (section 3 of the document on random numbers)."""
        hit = {one.theatre for one in self.wings if self.theatres[one.theatre].kind == "target"}
        sums = {key: sum(one.b for one in self.wings if one.theatre == key) for key in hit}
        for key in hit:
            episode, decision = divmod(self.day // 7, 4)
            z = inverse_normal(self.draw(f"weight of theatre {key}", decision, episode))
            self.theatres[key].weight *= exp(self.p["sigma_w" if self.day else "sigma_0"] * z)
        for key in hit:
            mean = sum(sums[one] * self.theatres[one].weight for one in hit) / sum(sums.values())
            self.theatres[key].factor = self.theatres[key].weight / mean

    def compliance_in_pause(self, wing: SimpleNamespace) -> float:
        if wing.paused:
            return 1.0
        return self.held(wing) if self.theatres[wing.theatre].directive < 1.0 and not self.stands(wing) else 0.0

    def compliance_by_degrees(self, wing: SimpleNamespace) -> float:
        p = self.p
        if self.theatres[wing.theatre].directive >= 1.0:
            return wing.compliance - p["r_relax"] * wing.compliance
        eager = 1.0 - wing.ideology * (1.0 - p["xi"] * self.felt_by(wing))
        speed = min(1.0, 2.0 * p["r"] * self.held(wing) * eager)
        return wing.compliance + speed * (self.goal(wing) - wing.compliance)

    def fear(self, wing: SimpleNamespace) -> float:
        p = self.p
        return wing.fear * self.kept(wing) + p["phi_own"] * wing.struck + p["phi_other"] * wing.nearby + wing.jump

    def held_back(self, wing: SimpleNamespace) -> bool:
        return self.on.pause and self.stands(wing)

    def kept(self, wing: SimpleNamespace) -> float:
        return 1.0 if self.held_back(wing) else keep(self.p["h_f"])

    def supply(self, wing: SimpleNamespace) -> float:
        place = self.theatres[wing.theatre]
        return 0.0 if self.held_back(wing) else place.supply * self.today.supply.get(place.key, 1.0)

    def militias_attack(self) -> None:
        for wing in self.wings:
            theatre = self.theatres[wing.theatre]
            wing.rate = self.rate(wing, theatre)
            if theatre.kind == "target":
                wing.rate = min(60.0, wing.rate * theatre.burst * theatre.factor)
            wing.attacks = float(max(poisson(self.draw(wing.name, 0), wing.rate), self.today.pinned == wing.name))

    def rate(self, wing: SimpleNamespace, theatre: SimpleNamespace) -> float:
        p = self.p
        gate = 1.0 - theatre.gamma * (1.0 - self.today.intensity)
        most = wing.b * gate * self.today.multiplier.get(theatre.key, 1.0)
        least = min(60.0, most * (p["epsilon"] if theatre.restraint == "stop" else p["d_reduce"]))
        if wing.paused:
            return least
        order = theatre.directive * (1.0 - p["m_0"] * self.felt_by(wing))
        obeyed = 1.0 - wing.compliance * (1.0 - order)
        rate = min(60.0, most * wing.capacity * exp(wing.grievance - wing.fear) * obeyed)
        return self.under_order(wing, rate, least)

    def under_order(self, wing: SimpleNamespace, rate: float, least: float) -> float:
        return max(rate, least) if self.held_back(wing) else rate

    def attacks_land(self) -> None:
        p, today = self.p, self.today
        self.attacks = self.acknowledged = self.injured = self.killed = self.lethal = 0.0
        for wing in self.wings:
            theatre = self.theatres[wing.theatre]
            wing.acknowledged = wing.attacks
            if theatre.kind != "target":
                continue
            small = wing.compliance if theatre.directive < 1.0 else 0.0
            through = p["p_pen"] * (1.0 - small * (1.0 - p["q_small"]))
            seen = p["p_obs"] * (1.0 - small * (1.0 - p["p_obs_small"]))
            fates = [self.fate(wing, k, through, seen) for k in range(int(wing.attacks))]
            wing.acknowledged = float(sum(fate != UNNOTICED for fate in fates))
            for k, fate in enumerate(fates):
                if fate >= GOT_THROUGH:
                    self.injured += poisson(self.draw(wing.name, 128 + k), p["mean injured"])
                if fate == LETHAL:
                    pinned = today.pinned == wing.name and k == 0
                    self.killed += today.documented if pinned else self.toll(self.draw(wing.name, 256 + k))
                    self.lethal += 1.0
            self.attacks += wing.attacks
            self.acknowledged += wing.acknowledged
            if theatre.directive >= 1.0:
                self.ordered_attacks += wing.attacks

    def fate(self, wing: SimpleNamespace, k: int, through: float, seen: float) -> int:
        if self.today.pinned == wing.name and k == 0:
            return LETHAL
        u = self.draw(wing.name, 1 + k)
        if u < through * self.p["p_lethal"]:
            return LETHAL if self.today.may_kill else GOT_THROUGH
        return GOT_THROUGH if u < through else ACKNOWLEDGED if u < seen else UNNOTICED

    def toll(self, u: float) -> float:
        alpha, most = self.p["alpha"], floor(self.p["K_max"])
        span = 1.0 - (most + 1.0) ** (1.0 - alpha)
        return float(min(most, floor((1.0 - u * span) ** (1.0 / (1.0 - alpha)))))

    def target_responds(self) -> None:
        p, word = self.p, self.today.word
        for wing in self.wings:
            wing.recent = wing.recent * keep(p["h_attr"]) + wing.attacks
        self.provocation = (
            self.provocation * keep(p["h_U"]) + self.attacks + p["w_inj"] * self.injured + p["w_kill"] * self.killed
            + p["w_answer"] * self.answered
        )  # fmt: skip
        self.quiet_days = 0.0 if self.acknowledged > 0.0 else self.quiet_days + 1.0
        able, major = self.on.major_response, word.get("major", 0)
        self.major = (able and major > 0) or (0.0 < self.pending <= 1.0 and major >= 0)
        if self.major:
            self.pending = 0.0
        elif self.pending > 0.0:
            self.pending = self.pending - 1.0 if self.pending > 1.0 else self.pending
        elif self.killed > 0.0 and able:
            self.pending = p["T_major"]
        busy = self.major or self.pending > 0.0
        casualties = self.injured + self.killed > 0.0
        hazard = p["rho_0"] * casualties + p["rho"] * max(0.0, self.provocation - p["U_0"])
        likely = self.draw("target", 0) < 1.0 - exp(-hazard)
        limited = word.get("limited", 0)
        self.limited = not busy and limited >= 0 and (limited > 0 or likely)
        chance = self.draw("target", 1) < p["p_opp"] and word.get("leader", 0) >= 0
        self.leader = NO_CHANCE
        if chance and not (busy or self.limited):
            self.leader = DECLINED if self.quiet_days >= p["T_quiet"] else STRUCK
        if self.major or self.limited or self.leader == STRUCK:
            self.provocation *= p["reset"]
        self.struck_wing = self.choose() if self.limited or self.leader == STRUCK else -1

    def strikable(self, wing: SimpleNamespace) -> bool:
        return self.theatres[wing.theatre].kind == "target" and wing.b > 0.0

    def choose(self) -> int:
        """The first wing at which the summed weights exceed the random share of their total."""
        can = [one for one in self.wings if self.strikable(one)]
        lately = sum(one.recent for one in can)
        attributed = lately > 0.0 and self.draw("target", 2) < self.p["q_attr"]
        weights = [one.recent if attributed else 1.0 for one in can]
        mark, passed = self.draw("target", 3) * sum(weights), 0.0
        for wing, weight in zip(can, weights, strict=True):
            passed += weight
            if passed > mark:
                return self.wings.index(wing)
        return -1

    def strikes_land(self) -> None:
        p = self.p
        for index, wing in enumerate(self.wings):
            in_major = self.major and self.strikable(wing) and self.today.only in ("", wing.name)
            chosen = index == self.struck_wing
            wing.struck = self.today.raids.get(wing.name, 0.0) + p["I_major"] * in_major
            wing.struck += chosen * (1.0 if self.limited else p["I_leader"])
            wing.jump = p["J"] * in_major
        for wing in self.wings:
            others = [one for one in self.wings if one.collective == wing.collective and one is not wing]
            wing.nearby = sum(one.struck for one in others)
        self.strikes = sum(one.struck for one in self.wings)
        self.strikes_home = sum(one.struck for one in self.wings if self.theatres[one.theatre].home)

    def ladder_moves(self) -> None:
        p, answer = self.p, self.limited or self.leader == STRUCK
        self.rung = 1.0 if self.attacks > 0.0 else 0.0
        if self.injured > 0.0 or answer:
            self.rung = 2.0
        if self.killed > 0.0:
            self.rung = 3.0
        if self.major:
            self.rung = 4.0
        on_patron = (answer or self.major) and self.rung >= p["rung_E"]
        self.acts = p["e_US"] if on_patron else 0.0
        if on_patron or self.answered:
            self.rung = 5.0
        self.recent_rung = max(self.rung, self.recent_rung - p["cooling"])
        self.war_hazard += p["k_war"] * max(0.0, self.war_risk - p["W_war"]) * self.recent_rung
        self.war = self.war_hazard >= self.war_limit
        if self.war:
            self.rung = 6.0


# --- against the Mesa model ---------------------------------------------------------------------------------


EAGER = (
    "history.free_from=120", "ladder.war_threshold=0.5", "ladder.war_rate=0.001", "bursts.burst_deviation=0.8",
    "shares.share_deviation=0.4", "shares.share_drift=0.1",
    "+events.truce={kind: intensity, from: 60, to: 90, value: 0.25, source: invented}",
    "+events.missiles={kind: open_answer, from: 70, to: 70, source: invented}",
    "+events.raid={kind: major, from: 50, wing: kataib_hezbollah_jordan, source: invented}",
)  # fmt: skip
"""The order can be released and come again, war can break out, attacks cluster and move from theatre to theatre, the
rival rests, the patron answers."""
WORLDS = {
    "a group of two wings": ("article", "kataib_hezbollah_jordan kataib_hezbollah_syria", EAGER),
    "two groups": ("salt_coast", "gulls_towns lanterns_towns", ()),
    "on land and at sea": ("salt_coast", "lanterns_towns gulls_coast", ()),
    "with a leader struck": ("leader_strike_in_lull", "kataib_hezbollah_jordan kataib_hezbollah_iraq", ()),
    "with the patron struck": ("strike_iran", "kataib_hezbollah_jordan hashd_iraq", ()),
    "the arsenal hit": ("arms_interdiction", "kataib_hezbollah_jordan houthis_red_sea", ()),
    "all wings": ("article", "", EAGER),
}
"""Scenario, the wings that are in it (all where none is named), overrides."""
PAIR = "a group of two wings"
ROWS = 5
"""Rows of parameters for each world: the first is what is configured, all others are drawn from the ranges."""
COUNTS = ("attacks", "acknowledged", "injured", "killed", "lethal", "quiet_days", "rung", "ordered_attacks")


def disagreements(evenings: list[dict[str, Any]], states: StateTable) -> list[str]:
    """States that differ, counts at all and all others by more than rounding, each with the first day."""
    if len(evenings) != days_done(states):
        return [f"{len(evenings)} days, not {days_done(states)}"]
    found = []
    for part, kind in ((states.run, ""), (states.fronts, ""), (states.wings, "wing ")):
        for name in part.dtype.names or ():
            read = np.array([evening[kind + name] for evening in evenings], dtype=float)
            made = part[name][: len(evenings)].astype(float)
            counted = name in COUNTS or part.dtype[name].kind == "i"
            apart = read != made if counted else ~np.isclose(read, made, rtol=1e-9, atol=1e-12)
            if apart.any():
                found.append(f"{kind}{name} from day {np.argwhere(apart)[0][0]}")
    return found


@cache
def world(name: str) -> Scenario:
    scenario, wings, overrides = WORLDS[name]
    whole = load([f"scenario={scenario}", *overrides]).scenario
    own = {key: one for key, one in whole.cast.wings.items() if not wings or key in wings.split()}
    return replace(whole, cast=replace(whole.cast, wings=own))


def switched(scenario: Scenario, **switches: bool) -> Scenario:
    return replace(scenario, mechanisms=replace(scenario.mechanisms, **switches))


@cache
def histories(name: str, pause: bool) -> list[tuple[Scenario, dict[str, float], int, StateTable]]:
    """A history by the Mesa model for each row of parameters of a world, with what it was made of."""
    scenario = switched(world(name), pause=pause)
    columns = design(scenario, [1000 + row for row in range(ROWS)])
    for key, column in columns.items():
        column[0] = scenario.number(key)
    table = build_inputs(scenario, columns)
    return [
        (
            scenario,
            {key: float(column[row]) for key, column in columns.items()},
            row,
            ReferenceModel(scenario, SEED, row, table=table, point=row).simulate().state_table(),
        )
        for row in range(ROWS)
    ]


forms = pytest.mark.parametrize("pause", [True, False], ids=["pause", "by degrees"])


@forms
@pytest.mark.parametrize("name", WORLDS)
def test_document_and_model_give_the_same_history(name: str, pause: bool) -> None:
    for scenario, values, run, states in histories(name, pause):
        assert disagreements(SecondReading(scenario, values, SEED, run).simulate(), states) == [], run


@pytest.mark.parametrize("name", MECHANISM_NAMES)
def test_every_switch_does_what_the_document_says(name: str) -> None:
    scenario = world(PAIR)
    off = switched(scenario, **{name: False})
    values = {key: off.number(key) for key in off.declarations()}
    states = ReferenceModel(off, SEED, 1).simulate().state_table()
    assert disagreements(SecondReading(off, values, SEED, 1).simulate(), states) == []
    assert disagreements(SecondReading(scenario, values, SEED, 1).simulate(), states)


@forms
def test_all_that_can_happen_does(pause: bool) -> None:
    found: set[str] = set()
    for name in WORLDS:
        for *_, (run, fronts, wings, _) in histories(name, pause):
            pauses = (wings["compliance"] == 1.0) & (fronts["directive"].min(axis=1) < 1.0)[:, None]
            happened = {
                "major response": run["major"], "limited response": run["limited"], "leader struck": run["leader"] == 1,
                "leader spared": run["leader"] == 2, "patron struck": run["acts"], "answer": run["answered"],
                "deaths": run["killed"], "order": run["phase"] == RESTRAINING, "release": run["phase"] == RELEASED,
                "second order": run["restraint_orders"] > 1, "shock": fronts["shock"], "war": run["war"],
                "other shares": fronts["weight"] != 1.0,
                "pause": pauses | (not pause), "pause ended": pauses[:-1] & ~pauses[1:] | (not pause),
                "spillover": wings["nearby"], "wear": wings["capacity"][:30] < 1.0, "pressure": run["pressure"],
            }  # fmt: skip
            found |= {what for what, when in happened.items() if np.any(when)}
    assert found == set(happened)


# --- controls: a reading with one formula wrong must differ -------------------------------------------------


class NoSpillover(SecondReading):
    def fear(self, wing: SimpleNamespace) -> float:
        return super().fear(wing) - self.p["phi_other"] * wing.nearby


class PressureOfToday(SecondReading):
    def felt_by(self, wing: SimpleNamespace) -> float:
        return self.pressure if wing.reached else 0.0


class OrderKnownAtOnce(SecondReading):
    def mediators_press(self) -> None:
        super().mediators_press()
        for theatre in self.theatres.values():
            theatre.directive = theatre.order


class UnevenTotal(SecondReading):
    def share_out(self) -> None:
        super().share_out()
        for theatre in self.theatres.values():
            theatre.factor = theatre.weight


class LooserGrip(SecondReading):
    def held(self, wing: SimpleNamespace) -> float:
        return super().held(wing) * (1.0 + 1e-6)


class KilledOtherwise(SecondReading):
    def toll(self, u: float) -> float:
        return super().toll(1.0 - u)


class Forgetful(SecondReading):
    def kept(self, wing: SimpleNamespace) -> float:
        return keep(self.p["h_f"])


class Rearmed(SecondReading):
    def supply(self, wing: SimpleNamespace) -> float:
        return super().supply(wing) or self.theatres[wing.theatre].supply


class Cowed(SecondReading):
    def under_order(self, wing: SimpleNamespace, rate: float, least: float) -> float:
        return rate


class Steadfast(SecondReading):
    def resume_rate(self, wing: SimpleNamespace) -> float:
        return super().resume_rate(wing) / 2.0


@pytest.mark.parametrize(
    ("wrong", "pause"),
    [
        (NoSpillover, True), (PressureOfToday, True), (OrderKnownAtOnce, True), (KilledOtherwise, True),
        (Steadfast, True), (UnevenTotal, True), (Forgetful, True), (Rearmed, True), (Cowed, True),
        (NoSpillover, False), (PressureOfToday, False), (OrderKnownAtOnce, False), (LooserGrip, False),
    ],
)  # fmt: skip
def test_one_wrong_formula_is_noticed(wrong: type[SecondReading], pause: bool) -> None:
    made = (one for name in (PAIR, "with the patron struck", "all wings") for one in histories(name, pause))
    assert any(disagreements(wrong(*one[:2], SEED, one[2]).simulate(), one[3]) for one in made)


def test_the_reading_calls_no_rule_and_no_engine() -> None:
    own, _, compared = Path(__file__).read_text(encoding="utf-8").partition("# --- against the Mesa model")
    names = {one.id for one in ast.walk(ast.parse(own)) if isinstance(one, ast.Name)}
    assert compared
    assert not names & {"ReferenceModel", "build_inputs", "design", "days_done"}
    modules = {one.module or "" for one in ast.walk(ast.parse(own)) if isinstance(one, ast.ImportFrom)}
    assert not {one for one in modules if one.startswith(("sim.rules", "sim.engine.batched"))}
