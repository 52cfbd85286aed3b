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
# # 04 · Autonomy and control: a sweep
#
# Iran orders a halt. How many attacks follow? That depends on how firmly Iran controls its militias, and on how
# autonomous they are. The report gives no number for either (F13, F15). So we try them all.
#
# **What you will learn**
#
# - how to vary numbers over a grid, and how to read the map that comes out
# - how one cause can hide behind another
# - how two numbers can be so entangled that no data separate them

# %%
import numpy as np

from sim import canvas, draw, formula, sweep

grid = sweep(
    overrides={
        "mechanisms.pause": False,
        "patron.control": [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        "multipliers.autonomy": [0.25, 0.5, 0.75, 1.0, 1.25, 1.5],
        "history.free_from": "2024-01-29",
        "calendar.days": 140,
        "study.runs": 300,
    },
    to="sweep_of_control_and_autonomy",
).data
draw(grid, "attacks_lull")

# %% [markdown]
# One choice first: here wings comply *by degrees* (`mechanisms.pause` is off). In the other form whole groups decide to
# pause, and once the bombs have fallen control hardly matters: try it without that line.
#
# A *sweep* runs the model at many points. Here the points form a grid: eight values of control times six values of
# autonomy, 48 points, with 300 *replicates* each (runs at the same parameters). The number in a cell is the mean of
# the attacks on American troops from the strikes to the report (25 days).
#
# The record is pinned until 28 January and free after that. `multipliers.autonomy` moves all militias together: 1.5
# means that every militia is 50% more autonomous than we assumed. `study.runs` and the other keys are those of the
# command line.
#
# Read the map like a hillside. Upper left: a loose patron with autonomous militias, eight attacks in spite of the
# order. Lower right: a firm patron with obedient ones, hardly any. Everything between lies on a slope.
#
# ## A table, not a picture
#
# The `data` of a sweep is a labelled table: every run at every point, with the values of the numbers that vary. It is
# read from a folder (`sweep_of_control_and_autonomy`); run the cell again and nothing is computed twice.

# %%
grid["attacks_lull"]

# %% [markdown]
# So you can ask your own questions. What is the effect of full control, compared with a control of 0.3, at the
# autonomy that we assumed? All points use common random numbers (notebook 03), so we subtract run by run.

# %%
assumed = grid.sel(point=grid["multipliers.autonomy"] == 1.0)
attacks = assumed["attacks_lull"].values  # one row per value of control, one column per history
fewer = attacks[0] - attacks[-1]
print(f"control 1.0 instead of 0.3: {fewer.mean():.2f} fewer attacks, ± {fewer.std() / len(fewer) ** 0.5:.2f}")

# %% [markdown]
# ## One cause behind another
#
# Four or five attacks in 25 days: is that all that control is worth? Something else happened in that week. The
# Americans bombed (F05), and bombs frighten. `no_threat` is the same world without the threat and the major strikes.
# We sweep control in both.

# %%
both = sweep(
    overrides={
        "mechanisms.pause": False,
        "scenario": ["article", "no_threat"],
        "patron.control": [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        "history.free_from": "2024-01-29",
        "calendar.days": 140,
        "study.runs": 300,
    },
    to="sweep_with_and_without_bombs",
).data
draw(both, "attacks_lull")

# %% [markdown]
# Without the bombs control is worth far more: the orange line falls by some eighteen attacks. With the bombs little
# is left for obedience to do, because frightened militias hardly attack anyway.
#
# Think about what that means for an observer of the real winter. It was quiet. Was Iran's control firm? The blue line
# is nearly flat: the quiet looks almost the same under a firm hand and a loose one. **The bombs hide the control.**
# In the words of statistics: two causes came together, and their effects multiply.
#
# ## Two numbers, one effect
#
# Look at the first map again. Some cells far apart have nearly the same number. Why? Because in this model a militia
# is held by

# %%
formula("militia.hold")

# %% [markdown]
# where L is the control and a the autonomy. The two enter in no other way (notebook 01). Half the control with a more
# obedient militia gives the same hold.
# We redraw the map with one axis: the hold on Kataib Hezbollah, whose autonomy we assumed to be 0.5.

# %%
control, factor = grid["patron.control"].values, grid["multipliers.autonomy"].values
hold = control * (1 - 0.5 * factor)

figure, [left, right] = canvas(2, height=3.6, shared=True)
mean = grid["attacks_lull"].mean("run").values
for panel, place, words in [(left, control, "control"), (right, hold, "hold = control × (1 − autonomy)")]:
    panel.scatter(place, mean, c=factor, cmap="viridis", s=30)
    panel.set_xlabel(words)
left.set_ylabel("attacks in the lull (average)")
left.set_title("colour: autonomy (yellow is stubborn)", loc="left")
figure

# %% [markdown]
# On the left 48 dots in a cloud. On the right they fall on a single curve, almost. (Almost, because the other
# militias have other autonomies.)
#
# That is beautiful, and it is bad news. Suppose you knew the number of attacks without any error. You could read the
# hold off the curve. You could *never* say whether the control is high or the autonomy low: every pair with the same
# product fits equally well. More data of this kind would not help. Statisticians call this *not identified*. To
# separate the two you need another kind of evidence, such as a change of commander with the same militias. Notebook
# 05 goes on from here.
#
# ## But all the other numbers?
#
# So far only two numbers varied and all others kept assumed values. Perhaps the slope is an accident of those values.
# The remedy: draw *every* number at random from its prior, again and again. Each point is now another possible world.

# %%
worlds = sweep(
    overrides={
        "mechanisms.pause": False,
        "scenario": "no_threat",
        "history.free_from": "2024-01-29",
        "calendar.days": 140,
        "study.draws": "prior",
        "study.points": 1024,
        "study.runs": 10,
    },
    to="sweep_of_everything",
).data
attacks = worlds["attacks_lull"].mean("run").values
control = worlds["patron.control"].values

figure, [axes] = canvas(height=3.2)
axes.scatter(control, attacks, s=9, color="#9CC3DE")
quarters = np.quantile(control, [0, 0.25, 0.5, 0.75, 1])
for k in range(4):
    inside = (control >= quarters[k]) & (control <= quarters[k + 1])
    axes.hlines(attacks[inside].mean(), quarters[k], quarters[k + 1], color="#BF5200", linewidth=3)
axes.set_xlabel("control (all other numbers vary too)")
axes.set_ylabel("attacks in the lull")
figure

# %% [markdown]
# Every dot is a world, the orange steps are means over a quarter of them. The direction survives: more control, fewer
# attacks. The certainty does not. Two worlds with the same control can have five attacks or fifty.
#
# So this is what you may write down: *in this model, under an order to halt, more control means fewer attacks on
# average, also when all other numbers vary; the size of the effect is not known.* And what you may not: *Iran's
# control was high.*
#
# ## Exercises
#
# Write your answer in place of `None`, run that cell, then run the (folded) cell below it.
#
# **1.** Without the bombs (`no_threat` in `both`): how many fewer attacks are there with control 1.0 than with 0.3,
# on average?

# %% tags=["exercise"]
answer_1 = None  # your answer: a number of attacks

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
alone = both.sel(point=both["scenario"] == "no_threat")["attacks_lull"].mean("run").values
solution_1 = float(alone[0] - alone[-1])
assert solution_1 > 3 * fewer.mean()  # the bombs hide more than two thirds of what control does
if answer_1 is not None:
    print("right" if abs(answer_1 - solution_1) < 0.06 else "not yet: first value minus last of the means over runs")

# %% [markdown]
# **2.** A patron has a control of 0.9 and a militia with an autonomy of 0.5. A successor has a control of 0.6. What
# autonomy must the militia have so that it is held as firmly as before?

# %% tags=["exercise"]
answer_2 = None  # your answer: an autonomy between 0 and 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_2 = 1 - 0.9 * (1 - 0.5) / 0.6
assert abs(0.6 * (1 - solution_2) - 0.9 * (1 - 0.5)) < 1e-12
if answer_2 is not None:
    print("right" if abs(answer_2 - solution_2) < 0.006 else "not yet: solve 0.6 × (1 − x) = 0.9 × 0.5")

# %% [markdown]
# **3.** At how many of the 48 points of `grid` do more than half of the runs have no attack at all in the lull?

# %% tags=["exercise"]
answer_3 = None  # your answer: a number of points

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_3 = int(((grid["attacks_lull"] == 0).mean("run") > 0.5).sum())
assert 0 < solution_3 < 48
if answer_3 is not None:
    print(
        "right" if answer_3 == solution_3 else "not yet: the mean of (attacks_lull == 0) over runs, compared with 0.5"
    )

# %% [markdown]
# **4.** In `worlds`, which of these has the strongest correlation with the mean number of attacks (`np.corrcoef`,
# without sign): `patron.control`, `multipliers.autonomy` or `multipliers.baseline`? The last one is how often the
# militias attack when nothing restrains them.

# %% tags=["exercise"]
answer_4 = None  # your answer: one of the three names, as text

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
names = ["patron.control", "multipliers.autonomy", "multipliers.baseline"]
strength = [abs(np.corrcoef(worlds[name], worlds["attacks_lull"].mean("run"))[0, 1]) for name in names]
solution_4 = names[int(np.argmax(strength))]
assert max(strength) > 0.1
if answer_4 is not None:
    print("right" if answer_4 == solution_4 else "not yet: compare the sizes, whatever the sign")
