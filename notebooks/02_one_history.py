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
# # 02 · One run in Mesa, day by day
#
# A thousand runs make a smooth picture. One run is rough, and you can follow every actor in it. Here you simulate a
# single winter with [Mesa](https://mesa.readthedocs.io), a Python library in which people, groups or states are
# *agents*: objects that remember something and do something every day.
#
# **What you will learn**
#
# - how to build the model, let days pass, and read the states of its agents
# - how a rule and a random number together decide whether a militia attacks
# - why the same run number always gives the same run, on any machine

# %%
import numpy as np

from sim import ReferenceModel, canvas, draw, load, replay, simulate

config = load(["scenario=article"])
winter = ReferenceModel(config.scenario, seed=1, run=17).simulate()
draw(winter)

# %% [markdown]
# This is run number 17. Blue bars are attacks on American troops. The sign in dark red marks the deaths of 28 January
# (F04), the black diamond the major American strikes of 2 February (F05). In the shaded weeks Iran restrains its
# militias (F21, F22).
#
# Read the picture from the middle. The deaths make Iran fear a war; the orange line jumps over the dashed one. Two
# days of talks follow, then the order (F16). The militias turn purple one after another: they comply. Attacks fade.
# Much later the fear is gone, Iran releases the order, and some attacks return. (The rows stay purple: the militias
# still obey. The order now is to attack a little.)
#
# ## The agents
#
# We build the same model again and do not let it run yet.

# %%
model = ReferenceModel(config.scenario, seed=1, run=17)
for agent in model.agents:
    print(type(agent).__name__, getattr(agent, "name", ""))

# %% [markdown]
# Four agents stand for states: the rival (Israel), the mediators, the patron (Iran) and the target (the United
# States). The code speaks of roles, so the same program can simulate another conflict. The other ten are *wings*: one
# armed group in one country.
#
# ## Let days pass
#
# `step()` is one day. We take 103 of them, up to the evening of 27 January. (Day 0 is 17 October 2023.)

# %%
for _ in range(103):
    model.step()
draw(model)

# %% [markdown]
# The future is white: it has not been computed. No agent knows that three soldiers will die tomorrow.
#
# Mesa's *data collector* records the numbers of each evening. Nine more days, and then we read its records.

# %%
for _ in range(9):
    model.step()
days = model.datacollector.get_model_vars_dataframe()
days.loc[101:111, ["war_risk", "phase", "pressure", "attacks", "killed"]].round(2)

# %% [markdown]
# Rows are days. On day 103 soldiers die. On day 104 the war risk that Iran perceives jumps up, and it begins to
# deliberate. On day 106 it restrains its militias. The mediators (`pressure`) join in at the same time. Decisions
# always use what was known the evening before, so every effect comes at least one day after its cause.
#
# ## The state of a militia
#
# Each wing carries four numbers. *Compliance*: how far it follows the order. *Fear* of the next strike. *Grievance*:
# anger about the last one. *Capacity*: how much of its arsenal is left. The same collector has recorded them too.

# %%
model.simulate()
wings = model.datacollector.get_agenttype_vars_dataframe(type(model.wings[0]))
nujaba = wings[wings["wing"] == "nujaba_iraq"].reset_index()

figure, [axes] = canvas(height=3)
for name, colour in {"compliance": "#8B3A8B", "fear": "#BF5200", "grievance": "#007A5A", "capacity": "#6B6B6B"}.items():
    axes.plot(nujaba["Step"] - 1, nujaba[name], label=name, color=colour)
axes.axvline(108, color="black", linewidth=1, linestyle=":")
axes.set_xlabel("day (dotted: the big strikes)")
axes.set_title("Harakat al-Nujaba in Iraq, run 17", loc="left")
axes.legend(frameon=False, ncols=2, loc="upper right")
figure

# %% [markdown]
# Small strikes leave small traces all winter. The big one frightens and angers at once, and both effects fade within
# weeks. Compliance is different: it rises after the order and stays as long as the order stands.
#
# ## Why did it attack that day?
#
# `replay` prints the same run in sentences. Here are three days around the turn.

# %%
story = replay("article", run=17).found
for day in story.paragraphs():
    if 104 <= day.first <= 106:
        print(day.heading)
        for _, text in day.flow():
            print("  ", text)

# %% [markdown]
# Look at a sentence with *rate* and *draw*. The rate is what the rules give: so many attacks a day on average. The
# draw is a random number between 0 and 1. How do they decide together?
#
# With an average of `rate` attacks a day, the probability of exactly $n$ attacks is given by the Poisson
# distribution. We put these probabilities side by side from 0 to 1, like slices of a bar. The random number falls
# into one slice, and its index is the number of attacks.

# %%
rate, uniform = 0.228, 0.982  # Nujaba in Iraq on day 104, from the sentence above
chances = np.exp(-rate) * np.array([1, rate, rate**2 / 2, rate**3 / 6])
edges = np.concatenate([[0], chances.cumsum()])

figure, [axes] = canvas(height=1.5)
for n in range(4):
    axes.barh(
        0,
        chances[n],
        left=edges[n],
        color=["#EDEFF2", "#9CC3DE", "#0072B2", "#06304D"][n],
        label=["none", "one", "two", "three"][n],
    )
axes.axvline(uniform, color="#BF5200", linewidth=2)
axes.set_yticks([])
axes.set_xlim(0, 1.02)
axes.set_title(
    f"rate {rate} a day; random number {uniform} falls into the slice of {int((edges[1:] < uniform).sum())} attacks",
    loc="left",
)
axes.legend(frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.25))
figure
# %% [markdown]
# At this rate, 80% of the days have no attack. The number 0.982 is one of the rare high ones, and so the sentence
# says *attacked twice*. If the rules lower the rate, the slices move to the right, and the same random number gives
# fewer attacks. That is all an order, fear or an empty arsenal can do: move the slices. The rest is chance.
#
# ## A random number has an address
#
# Usually random numbers come out of a generator one after another: the first request gets the first number. Here each
# one has an *address*: the seed, the number of the run, the day, the actor, and the decision. The same address always
# gives the same number. So it does not matter who moves first. Try it: let the militias take their turns backwards.

# %%
backwards = ReferenceModel(config.scenario, seed=1, run=17)
backwards.turns.reverse()
same = backwards.simulate().datacollector.get_model_vars_dataframe()
print("every number of every day the same:", same.equals(winter.datacollector.get_model_vars_dataframe()))

# %% [markdown]
# Agents in Python are easy to read and slow. `simulate` computes the same rules in machine code, some hundred times
# faster. Is it really the same? Ask it for every day of run 17 and compare with what Mesa recorded.

# %%
fast = simulate("article", runs=1, seed=1, states=[17])
same = fast["state_war_risk"].sel(state_run=17).values == winter.datacollector.get_model_vars_dataframe()["war_risk"]
print("days on which both agree to the last bit:", same.sum(), "of", len(same))

# %% [markdown]
# ## Another run
#
# Run 18 has the same rules, the same parameters and other random numbers.

# %%
other = ReferenceModel(config.scenario, seed=1, run=18).simulate()
draw(other)

# %% [markdown]
# The same story? In outline, because the record is pinned: deaths and strikes come on the documented days. In
# everything else no. When do attacks return, how many are there, who strikes whom? If run 17 had been the real
# winter, there would be a book on why attacks came back when they did. After run 18 it would be another book.
# Notebook 03 shows how not to be fooled.
#
# ## Exercises
#
# Write your answer in place of `None`, run that cell, then run the (folded) cell below it.
#
# **1.** A wing has a rate of 0.35 attacks a day. What is the probability of a day without an attack?

# %% tags=["exercise"]
answer_1 = None  # your answer: a probability

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_1 = float(np.exp(-0.35))
assert 0.70 < solution_1 < 0.71
assert any("in Iraq attacked twice (rate 0.228 a day, draw 0.982)" in one.text for one in story.sentences)
if answer_1 is not None:
    print("right" if abs(answer_1 - solution_1) < 0.006 else "not yet: the first slice is exp(-rate)")

# %% [markdown]
# **2.** How many attacks on the United States came in run 18 before the strikes, that is on days 0 to 107?

# %% tags=["exercise"]
answer_2 = None  # your answer: a number of attacks

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_2 = int(other.datacollector.get_model_vars_dataframe().loc[0:107, "attacks"].sum())
assert 150 < solution_2 < 250
if answer_2 is not None:
    print("right" if answer_2 == solution_2 else "not yet: sum the column attacks of other over days 0 to 107")

# %% [markdown]
# **3.** On which day is the war risk that Iran perceives highest in run 17, and after which event is that?

# %% tags=["exercise"]
answer_3 = None  # your answer: a day number

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_3 = int(winter.datacollector.get_model_vars_dataframe()["war_risk"].idxmax())
assert solution_3 == 109  # the day after the big strikes
if answer_3 is not None:
    print("right: strikes frighten too" if answer_3 == solution_3 else "not yet: idxmax finds the row of the maximum")

# %% [markdown]
# **4.** Simulate run 17 in the scenario `tight_leash`. On which day does Nujaba in Iraq first have a compliance of
# 0.8 or more? (`Step` counts from 1, days from 0.)

# %% tags=["exercise"]
answer_4 = None  # your answer: a day number

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
leash = ReferenceModel(load(["scenario=tight_leash"]).scenario, seed=1, run=17).simulate()
held = leash.datacollector.get_agenttype_vars_dataframe(type(leash.wings[0])).reset_index()
solution_4 = int(held[(held["wing"] == "nujaba_iraq") & (held["compliance"] >= 0.8)]["Step"].min()) - 1
assert (
    106 < solution_4 <= int(nujaba[nujaba["compliance"] >= 0.8]["Step"].min()) - 1
)  # no later than with the loose one
if answer_4 is not None:
    print("right" if answer_4 == solution_4 else "not yet: the first such Step, minus 1")
