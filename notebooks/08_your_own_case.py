# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 · Your own case
#
# **What you will learn**
#
# - how to write a scenario of your own, and to ask what it changes
# - how to add an actor, a rule and an outcome, without changing the program
# - how to describe another conflict from scratch, in some forty lines
#
# The program does not contain Iran or the United States. It contains a *patron*, *militias*, a *target*, *mediators*
# and a *rival*. Text files say who they are. Here is another conflict that comes with Lull. Its names and numbers are
# invented.

# %%
from pathlib import Path

import numpy as np

from sim import Extension, ReferenceModel, Tallied, canvas, check_extension, compare, draw, load, simulate

draw(simulate("salt_coast", runs=1000))

# %% [markdown]
# The same rules, another world: the Grey Gulls and the Lantern Men instead of Kataib Hezbollah and Nujaba, the Brine
# Towns instead of Iraq. In this notebook you first change a little, then more, then everything.
#
# ## A scenario of your own
#
# A scenario is a text file. It has the question, the day on which it departs from the documented record, and what is
# different. Ours asks about a truce in the war on Gaza. *Intensity* is that war: 1 is the autumn of 2023, 0 is none.
# We write the file into a folder of ours, `mine`.

# %%
mine = Path("mine")
for folder in ("scenario", "actors", "timeline"):
    (mine / folder).mkdir(parents=True, exist_ok=True)

(mine / "scenario" / "spring_truce.yaml").write_text(
    """\
# @package _global_
scenario:
  question: What is left of the campaign after a truce of four weeks from New Year on?
  departs: 2024-01-01

events:
  truce:
    kind: intensity
    from: 2024-01-01
    to: 2024-01-28
    value: 0.2
    source: invented
""",
    encoding="utf-8",
)
both = {
    "article, free from New Year": simulate("article", runs=1000, overrides={"history.free_from": "2024-01-01"}),
    "with the truce": simulate("spring_truce", runs=1000, config_dir=mine),
}
draw(both)

# %% [markdown]
# During the truce the attacks fall to a fifth. That is no discovery: the model assumes that they depend on that war
# (the rule `rival.war_gate`). What happens afterwards is less clear. So let us count, run by run, under common random
# numbers (notebook 06).

# %%
truce = compare(["article", "spring_truce"], parameters="defaults", runs=1000, config_dir=mine).data
for measure in ("attacks_after", "first_death_day", "deaths_1", "war"):
    one = truce.sel(measure=measure).squeeze()
    pairs = "no_war_" if one["censored_by_war"] else ""  # war ends counts: so only pairs without it, in either arm
    a, b, change = (one[f"{pairs}{name}"].item() for name in ("baseline_value", "scenario_value", "difference"))
    unit = one["unit"].item()
    print(f"{measure:16} {a:8.3f} without, {b:8.3f} with the truce: {change:+.3f} ({unit})")
war = truce.sel(measure="war").squeeze()
low, high = war["prior_scenario_low"].item(), war["prior_scenario_high"].item()
print(f"war with the truce, in 90% of the parameter sets drawn from the priors: {low:.0%} to {high:.0%}")

# %% [markdown]
# After 2 February there are *more* attacks with the truce than without. How can that be? In this model a campaign
# goes on until soldiers die; then Iran is alarmed and orders a stop. During the truce there are fewer attacks that
# could kill, so the first deaths come sixteen days later on average (day 184 instead of 168), and the order with
# them. A truce that ends can delay the event that would have ended the campaign. Whether soldiers die at all
# (`deaths_1`), and whether war comes, hardly changes. (The probabilities themselves are those of one parameter set
# among many; the last line says how far that of war varies with the parameters.)
#
# (Both worlds are free from New Year on, so the deaths of 28 January are not certain in either.)
#
# ## A new actor
#
# A *wing* is one armed group in one country. We add one that does not exist: Newcomers in Iraq, who obey no orders
# (autonomy 0.95). Every number has a source; ours are invented, and say so.

# %%
(mine / "scenario" / "newcomers.yaml").write_text(
    """\
# @package _global_
scenario:
  question: Does a lull come about if one group obeys no orders?
  departs: 2024-01-29

militia:
  newcomers_iraq:
    name: Newcomers
    group: Newcomers
    theatre: iraq
    collective: islamic_resistance_in_iraq
    mediated: true
    baseline: 0.2
    autonomy: 0.95
    ideology: 0.8
    sources:
      baseline: [assumed, invented]
      autonomy: [assumed, invented]
      ideology: [assumed, invented]
""",
    encoding="utf-8",
)
others = simulate("article", runs=1000, overrides={"history.free_from": "2024-01-29"})
newcomers = simulate("newcomers", runs=1000, config_dir=mine)

names = list(newcomers["wing"].values)
in_iraq = [name for name in names if name.endswith("_iraq")]
lull = newcomers["wing_attacks"].sel(wing=in_iraq, window="lull").mean("run")
figure, [panel] = canvas(height=2.6)
panel.barh(in_iraq, lull, color=["#BF5200" if name == "newcomers_iraq" else "#0072B2" for name in in_iraq])
panel.set_xlabel("attacks from the strikes to the report (average)")
figure

# %% [markdown]
# Before the strikes every sixth attack in Iraq was the newcomers'. In the lull nearly 90% are: all others obey. Does
# the lull survive them?

# %%
for name, data in {"without the newcomers": others, "with the newcomers": newcomers}.items():
    quiet = data["theatre_acknowledged"].sel(theatre="iraq", window="lull") == 0
    print(f"{name:22} nothing acknowledged in Iraq in {quiet.mean().item():.0%} of the runs")

# %% [markdown]
# One small group that obeys no order is enough to break the calm in most runs. It is called a *spoiler*. So weeks
# without a single attack in Iraq, as the report says (F02), show something about the militias too: there was no such
# group, or it was very small.
#
# ## A new rule
#
# Rules can be replaced too. Yours is a Python function with the same arguments as the rule that it replaces; the page
# *Learn* of `lull app` shows them all. Ours says: wings that hardly comply yet move slowly.

# %%


def hesitant(now: float, directive: float, goal: float, speed: float, relax: float) -> float:
    """Compliance of a wing tomorrow; those that comply little move slowly."""
    ordered = now + speed * (0.2 + 0.8 * now) * (goal - now)
    return ordered if directive < 1.0 else now - relax * now


def busiest(now: float, wing_attacks: float) -> float:
    """Most attacks of one wing on one day so far; applied to each wing in turn."""
    return wing_attacks if wing_attacks > now else now


own = Extension(
    "hesitation",
    rules={"militia.compliance": hesitant},
    outcomes=(Tallied("busiest_day", "attacks", "most attacks of one wing on one day", busiest),),
)

config = load(["scenario=article"])
figure, [panel] = canvas(height=3.0)
for words, extensions in {"our rule": [], "your rule": [own]}.items():
    scenario = load(["scenario=article"], extensions=extensions).scenario
    winter = ReferenceModel(scenario, seed=1, run=17).simulate()
    days = winter.datacollector.get_agenttype_vars_dataframe(type(winter.wings[0])).reset_index()
    nujaba = days[days["wing"] == "nujaba_iraq"]
    panel.plot(nujaba["Step"] - 1, nujaba["compliance"], label=words)
panel.set_xlim(98, 142)
panel.set_xlabel("day (103: the deaths, 106: the order)")
panel.set_title("Compliance of Harakat al-Nujaba in Iraq, run 17", loc="left")
panel.legend(frameon=False)
figure

# %% [markdown]
# Yours (orange) is slower at the start, then it catches up. That was one run in the Mesa model. Another program, the
# compiled engine, simulates thousands. Does it do the same with your rule? `check_extension` simulates runs with
# every engine, and compares every number of every day.

# %%
checked = check_extension(own)
print(f"{checked.histories} runs with each engine; first difference: {checked.first}")

# %% [markdown]
# No difference, not in the last bit. (Code that the engines could compute differently, such as `math.exp`, is refused
# before anything runs.) Now a thousand runs, with our rule and with yours.

# %%
free = {"history.free_from": "2024-01-29"}
ours = simulate("article", runs=1000, overrides=free)
yours = simulate("article", runs=1000, overrides=free, extensions=[own])

more = (yours["attacks_lull"] - ours["attacks_lull"]).values
print(f"with your rule {more.mean():+.2f} attacks in the lull, ± {more.std() / len(more) ** 0.5:.2f}")
print(f"in {np.mean(more > 0):.0%} of the pairs more, in {np.mean(more < 0):.0%} fewer")
draw(yours, "busiest_day")

# %% [markdown]
# So a slow start of obedience costs one attack. The picture shows your own outcome: how many attacks the busiest wing
# made on its busiest day. (That is a wing in Gaza or Lebanon, where there are more than four a day on average.) It is
# counted like any of ours, and from a file it can be swept as well (`docs/extending.md`).
#
# ## Everything from scratch
#
# Two more files, and the world is yours: who is there (`actors`), and when what happens (`timeline`). Ours is a
# river. The Ferry Company is attacked by two gangs; Upriver arms them. The Reed Men follow orders (autonomy 0.2), the
# Night Boats do not (0.8).

# %%
(mine / "actors" / "river.yaml").write_text(
    """\
# @package _global_
names: {patron: Upriver, target: the Ferry Company, mediators: the Elders, rival: Downriver}

theatre:
  delta:
    name: Delta
    kind: target
    mediated: true
    restraint: stop
    gate: 0.5
    supply: 1.0
    sources: {gate: [assumed, invented], supply: [assumed, invented]}

militia:
  reed_men:
    name: Reed Men
    group: Reed Men
    theatre: delta
    collective: delta_pact
    mediated: true
    baseline: 0.6
    autonomy: 0.2
    ideology: 0.2
    sources: &own {baseline: [assumed, invented], autonomy: [assumed, invented], ideology: [assumed, invented]}
  night_boats:
    name: Night Boats
    group: Night Boats
    theatre: delta
    collective: delta_pact
    mediated: true
    baseline: 0.6
    autonomy: 0.8
    ideology: 0.6
    sources: *own
""",
    encoding="utf-8",
)
(mine / "timeline" / "river.yaml").write_text(
    """\
# @package _global_
calendar: {start: 2041-05-01, days: 150, strikes: 2041-07-15, report: 2041-08-15}

events:
  feud: {kind: intensity, from: 2041-05-01, to: null, value: 1.0, source: invented}
  raids: {kind: order, theatres: [delta], from: 2041-05-01, to: null, value: attack, source: invented}
""",
    encoding="utf-8",
)
(mine / "scenario" / "river.yaml").write_text(
    """\
# @package _global_
defaults:
  - override /actors: river
  - override /timeline: river
  - override /history: free
  - override /patterns: none
  - override /calibration: none
  - override /filters: salt_coast

scenario:
  question: Which of two gangs keeps a promise that Upriver makes?
  departs: null
""",
    encoding="utf-8",
)
river = load(["scenario=river"], mine)
flood = ReferenceModel(river.scenario, seed=1, run=4).simulate()
draw(flood)

# %% [markdown]
# Read it like the picture of notebook 02. All summer the gangs attack. In September a raid kills five of the Ferry
# Company's people. Upriver is alarmed and orders a stop, the Company strikes back. The Reed Men obey at once
# (purple). The Night Boats hardly do.
#
# Any question of the other notebooks can be asked of the river now. For example: which gang obeys? To *comply* means
# a compliance of 0.8 or more.

# %%
delta = simulate("river", runs=2000, config_dir=mine)
ordered = delta["directive_day"].values >= 0
print(f"an order to stop in {ordered.mean():.0%} of the runs; where there is one:")
for gang in delta["wing"].values:
    lag = delta["compliance_lag"].sel(wing=gang).values[ordered]
    print(f"{gang:12} complies before the calendar ends in {np.mean(lag >= 0):.0%}")

# %% [markdown]
# The Night Boats never do. Their compliance is limited, above all by control × (1 − autonomy), which is 0.75 × 0.2 =
# 0.15 here; more time does not raise it. A lull on the river needs another means than an order.
#
# **What this cannot tell.** That a case of your own runs shows nothing more than that it runs. The numbers of the
# river are invented, so its runs are too. Before you believe anything of a real case, give every number a source, try
# the conclusion on other numbers (notebook 04), and compare it with observations that you did not put in (notebook
# 05).
#
# ## Exercises
#
# Write your answer in place of `None`, run that cell, then run the (folded) cell below it.
#
# **1.** Give the newcomers an autonomy of 0.3 (`overrides={"militia.newcomers_iraq.autonomy": 0.3}`, otherwise as
# above, 1,000 runs). In what share of the runs is nothing acknowledged in Iraq in the lull?

# %% tags=["exercise"]
answer_1 = None  # your answer: a share between 0 and 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
tame = simulate("newcomers", runs=1000, config_dir=mine, overrides={"militia.newcomers_iraq.autonomy": 0.3})
solution_1 = float((tame["theatre_acknowledged"].sel(theatre="iraq", window="lull") == 0).mean())
assert solution_1 > float((newcomers["theatre_acknowledged"].sel(theatre="iraq", window="lull") == 0).mean())
if answer_1 is not None:
    right = abs(answer_1 - solution_1) < 0.006
    print("right: autonomy decides, not the name" if right else "not yet: as above, with the override")

# %% [markdown]
# **2.** Your rule in a formula: by what factor is the first step of a wing with compliance 0 slower than with ours?

# %% tags=["exercise"]
answer_2 = None  # your answer: a factor below 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_2 = hesitant(0.0, 0.0, 0.5, 0.1, 0.2) / (0.1 * 0.5)
assert abs(solution_2 - 0.2) < 1e-12
if answer_2 is not None:
    print("right" if abs(answer_2 - solution_2) < 0.006 else "not yet: put now = 0 into the function")

# %% [markdown]
# **3.** Change one number of the river: the patron's control (`patron.control`) from 0.75 to 1. What does that change
# in the mean `attacks_lull`, over 2,000 runs, run by run?

# %% tags=["exercise"]
answer_3 = None  # your answer: a difference of attacks

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
firm = simulate("river", runs=2000, config_dir=mine, overrides={"patron.control": 1.0})
solution_3 = float((firm["attacks_lull"] - delta["attacks_lull"]).mean())
assert solution_3 < 0
if answer_3 is not None:
    right = abs(answer_3 - solution_3) < 0.01
    print("right" if right else "not yet: simulate the river with the override, then subtract")

# %% [markdown]
# **4.** Write a scenario `river_truce` that departs on 1 July 2041, with an event of the kind `intensity` and the
# value 0 from then to 15 July (included). By how much does the mean number of attacks in the whole campaign
# (`attacks_campaign`) fall, compared with `river` that is free all the time? 2,000 runs. (Begin with the text of
# `river.yaml` above.)

# %% tags=["exercise"]
answer_4 = None  # your answer: a number of attacks

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
event = {"kind": "intensity", "from": "2041-07-01", "to": "2041-07-15", "value": 0, "source": "invented"}
calm = simulate("river", runs=2000, config_dir=mine, overrides={"+events.calm": event})
solution_4 = float((delta["attacks_campaign"] - calm["attacks_campaign"]).mean())
assert solution_4 > 0
if answer_4 is not None:
    right = abs(answer_4 - solution_4) < 0.01
    print("right: an event on the command line does the same" if right else "not yet: mind the first and last day")
