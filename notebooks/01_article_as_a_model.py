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
# # 01 · The article as a model
#
# A news report of February 2024 says: militias had attacked American bases in Iraq and Syria for months, three
# soldiers died, Iran ordered its militias to stop, American bombs fell, and the attacks nearly ceased. Here that
# report becomes a model.
#
# **What you will learn**
#
# - how sentences of a report become numbers, rules and checks
# - how to simulate a thousand winters, and how to read the picture
# - how to test whether the model agrees with the report, and what agreement does not prove

# %%
from sim import canvas, draw, facts, parameters, patterns, simulate

winter = simulate("article", runs=1000, seed=1)
draw(winter)

# %% [markdown]
# You just simulated the same winter a thousand times. Each row of the picture is a place. The line is the median:
# half of the runs had more attacks in that week, half had fewer. The dark band holds 50% of the runs, the pale one
# 90%. The flags on top say what happened when.
#
# Look for three things. Attacks in Iraq and Syria stop within days. In Lebanon and on the Red Sea nothing changes.
# And the bands never close: even with the big events fixed, chance decides a lot.
#
# The hatched part comes after the report was written. The model goes on there, the evidence does not.
#
# ## From sentences to facts
#
# The first step was to list, one by one, what the report claims. Each claim has an id. (F04) in these notebooks
# points to this list.

# %%
fact = facts()
fact.loc[["F01", "F02", "F03", "F04", "F08", "F13", "F19", "F21"], ["text", "kind"]]

# %% [markdown]
# There are 37 of them, of eight kinds. Only a few are counts. Most say who obeys whom, who fears what, and what was
# ordered. A statistical table would drop those. A model can keep them.

# %%
fact["kind"].value_counts()

# %% [markdown]
# ## From facts to numbers
#
# Take F13: Iran controls some of its allies more firmly than others. In the model each militia has an *autonomy*
# between 0 (obeys every order) and 1 (obeys none). Iran has a *control* between 0 and 1. `parameters()` lists every
# number of the model with its unit, its range and its source.

# %%
number = parameters()
rows = number[number.index.str.endswith("autonomy") & number.index.str.startswith("militia")]
rows[["value", "low", "high", "source"]].sort_values("value")

# %% [markdown]
# The order comes from the report: Hezbollah first, the Houthis last. The exact values do not; the column `source`
# says *level assumed*. Where do the numbers of the whole model come from?

# %%
number["provenance"].value_counts()

# %% [markdown]
# Most are assumed. That is normal for a model of people, and hiding it would be worse than the guess itself.
# `calibrated` means that a value was chosen so that the model fits the report; notebook 05 tests what that is worth.
#
# ## From numbers to rules
#
# A rule says what follows from the numbers. This one says how firmly Iran holds a militia:
#
# $$\text{hold} = \text{control} \times (1 - \text{autonomy})$$
#
# So a militia with autonomy 0.5 under a control of 0.75 is held by 0.75 × 0.5 = 0.375. A militia that is ordered to
# stop complies a bit more each day. Strong convictions slow it down (F19).
#
# What do these rules predict? On the day of the order we start a clock for each militia and stop it when the militia
# mostly complies. `compliance_lag` has the days; -1 means never.

# %%
lag = winter["compliance_lag"].sel(wing=["hashd_iraq", "kataib_hezbollah_iraq", "nujaba_iraq"])
days = lag.where(lag >= 0).median("run")

figure, [axes] = canvas(height=2)
axes.barh(["other Iraqi factions", "Kataib Hezbollah", "Nujaba"], days, color="#8B3A8B")
axes.set_xlabel("days from the order until a militia complies (median run)")
axes.grid(visible=False)
figure

# %% [markdown]
# Kataib Hezbollah and Nujaba comply last. The report says so too (F19, F20). These days were not put into the model:
# they follow from autonomy, convictions and pressure. We call such a result *emergent*.
#
# ## One day
#
# Every simulated day has the same order:
#
# 1. Iran looks at yesterday, judges how near war is, and gives orders.
# 2. Mediators in Baghdad and Najaf press for calm.
# 3. Each militia obeys a bit more or less, fears, resents, rebuilds.
# 4. Militias attack. A rule sets the rate, a random number the count.
# 5. The United States counts attacks, and strikes back or holds back.
# 6. Strikes land. They frighten, and they anger.
#
# Every actor knows only what happened up to yesterday evening, so the order of moves does not matter. Notebook 02
# walks through such days one by one.
#
# ## Does it agree with the report?
#
# *Patterns* are statements of the report, each with a tolerance fixed beforehand. `patterns(winter)` checks all of
# them.

# %%
verdict = patterns(winter)
verdict[["text", "kind", "article", "model", "holds"]]

# %% [markdown]
# All hold. Before you cheer, read the column `kind`:
#
# - **fitted**: numbers were tuned to match this. Agreement is no surprise.
# - **built-in**: a rule says it directly. Agreement shows only that the rule works.
# - **prior-driven**: assumed numbers decide it, such as the hazard of war. Agreement repeats what we assumed.
# - **emergent**: it follows from the rules; nothing was tuned for it. Only here could the model have failed.
#
# ## Can it fail?
#
# A check that cannot fail shows nothing. So let us break the model: in the scenario `no_restraint` Iran gives no
# order to stop. The American strikes fall as before.

# %%
unrestrained = simulate("no_restraint", runs=1000, seed=1)
draw({"article": winter, "no_restraint": unrestrained})

# %% [markdown]
# Without the order the bombs bring a dip and no lull. The report's zero attacks in Iraq (F02) becomes rare:

# %%
for name, data in {"article": winter, "no_restraint": unrestrained}.items():
    quiet = data["theatre_acknowledged"].sel(theatre="iraq", window="lull") == 0
    print(f"{name:13} no attack in Iraq between strikes and report: {float(quiet.mean()):.0%} of the runs")

# %% [markdown]
# Does that prove that the order caused the lull? **No.** It says what *this model with these numbers* does. Other
# numbers, with bombs that frighten more or an order that counts less, may fit the same report. Order and strikes came
# in the same week, and one lull cannot separate them. Notebooks 05 and 06 are about that.
#
# ## Exercises
#
# Write your answer in place of `None`, run that cell, then run the (folded) cell below it: it prints *right* or *not
# yet*.
#
# **1.** The report counts at least 170 attacks before the strikes (F01). In what share of the thousand runs of
# `winter` is `acknowledged_campaign` 170 or more?

# %% tags=["exercise"]
answer_1 = None  # your answer: a share between 0 and 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_1 = float((winter["acknowledged_campaign"] >= 170).mean())
assert 0.3 < solution_1 < 0.6
if answer_1 is not None:
    print("right" if abs(answer_1 - solution_1) < 0.006 else "not yet: compare each run with 170, then take the mean")

# %% [markdown]
# **2.** Suleimani led with a firm hand (F14). Say control is 1 and the autonomy of every militia is multiplied by
# 0.3. How firmly is Nujaba in Iraq held then? Its autonomy is in the table above.

# %% tags=["exercise"]
answer_2 = None  # your answer: hold, between 0 and 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_2 = 1.0 * (1.0 - 0.3 * float(number.loc["militia.nujaba_iraq.autonomy", "value"]))
assert 0.375 < solution_2 < 1.0
if answer_2 is not None:
    print("right" if abs(answer_2 - solution_2) < 0.006 else "not yet: control times (1 - 0.3 times autonomy)")

# %% [markdown]
# **3.** How many of the patterns in `verdict` are emergent?

# %% tags=["exercise"]
answer_3 = None  # your answer: a number of patterns

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_3 = int((verdict["kind"] == "emergent").sum())
assert 1 < solution_3 < len(verdict) / 2
if answer_3 is not None:
    print("right" if answer_3 == solution_3 else "not yet: look at the column kind")

# %% [markdown]
# **4.** Break the model in another way. In `no_us_strikes` the United States never strikes back. Simulate 1,000 runs
# with seed 1. In what share of the runs is there no acknowledged attack in Iraq in the lull now? Think first: will
# the number be nearer to `article` or to `no_restraint`?

# %% tags=["exercise"]
answer_4 = None  # your answer: a share between 0 and 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
unstruck = simulate("no_us_strikes", runs=1000, seed=1)
solution_4 = float((unstruck["theatre_acknowledged"].sel(theatre="iraq", window="lull") == 0).mean())
assert 0.0 < solution_4 < 0.85
if answer_4 is not None:
    print("right" if abs(answer_4 - solution_4) < 0.006 else "not yet: theatre iraq, window lull, share of zeros")
