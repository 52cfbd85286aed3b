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
# # 03 · From one run to distributions
#
# How long did the lull last? Run 17 says one thing, run 18 another. Which one is right? Neither: the answer is a
# *distribution*.
#
# **What you will learn**
#
# - why a single run says almost nothing, and how to read a distribution
# - how many runs are enough, and what no number of runs can show
# - how to compare two policies under common random numbers, and why that saves most of the work

# %%
import numpy as np

from sim import canvas, compare, draw, simulate

winter = simulate("article", runs=4000, seed=1)
draw(winter, "lull_days")

# %% [markdown]
# Four thousand runs of the same winter. The bars say how many of them have a lull of about so many days. The dashed
# line is the *median*: half of the lulls are shorter.
#
# ## One run says nothing
#
# Here are the first ten runs, as if each were the only one that you had computed:

# %%
print(winter["lull_days"].values[:10])

# %% [markdown]
# From three weeks to almost four months. If you run the model once and get 21, you write: *the lull collapses
# quickly*. If you get 112: *a stable peace*. Both come from the same model with the same parameters. Only the random
# numbers differ.
#
# The real world also ran once. That is the deepest problem of this whole field, and no computer solves it. What a
# model can do is to show how different that one run could have been.
#
# ## Three ways to read a distribution

# %%
lull = winter["lull_days"].values
low, middle, high = np.quantile(lull, [0.05, 0.5, 0.95])
print(f"The median lull lasts {middle:.0f} days.")
print(f"90% of the runs lie between {low:.0f} and {high:.0f} days.")
print(f"It lasts 100 days or longer in {(lull >= 100).mean():.0%} of the runs.")

# %% [markdown]
# The median, an interval, and the probability of something you care about. The mean is missing on purpose: for some
# outcomes a few extreme runs dominate it. Notebook 07 shows one where it never settles.
#
# How long the lull lasts depends on assumptions more than on the report. We use it here to study chance, not Iraq.
#
# ## How many runs are enough?
#
# Take ten friends. Each runs the model again and again and keeps a running mean of the lull. Their means begin far
# apart and come together:

# %%
friends = lull.reshape(10, 400)
n = np.arange(1, 401)
running = friends.cumsum(axis=1) / n

figure, [axes] = canvas(height=3.2)
axes.fill_between(n, lull.mean() - 2 * lull.std() / n**0.5, lull.mean() + 2 * lull.std() / n**0.5, color="#EDEFF2")
axes.plot(n, running.T, color="#0072B2", linewidth=0.9, alpha=0.8)
axes.set_ylim(30, 110)
axes.set_xlabel("runs so far")
axes.set_ylabel("running average, days")
axes.set_title("Ten friends, each with other random numbers", loc="left")
figure

# %% [markdown]
# The grey funnel is a formula: two *standard errors* to either side. The standard error of a mean over $n$ runs is
#
# $$\text{standard error} = \frac{\text{standard deviation of a single run}}{\sqrt{n}}$$
#
# 95% of friends stay inside. The square root is bad news: to be twice as sure you need four times as many runs.

# %%
for runs in [1, 10, 100, 1000, 10_000]:
    print(f"{runs:6} runs: standard error {lull.std() / runs**0.5:5.1f} days")

# %% [markdown]
# So how many are enough? It depends on what you want to see. If a difference of five days would change your mind, an
# error of one day is fine, and some 1,500 runs give it. If you only want to know whether it is weeks or months, 50
# will do. Decide that *before* you look.
#
# A share of the runs has a simple formula of its own, with $p$ for the share: $\sqrt{p (1 - p) / n}$.
#
# And what do a million runs not show? Whether the numbers in the model are right. More runs remove Monte Carlo error
# and nothing else. Notebook 05 is about the rest.
#
# ## Common random numbers
#
# Now a question about policy. Suleimani kept the militias on a tight leash, Ghaani does not (F14, F15). With a tight
# leash from 29 January on, how many fewer attacks would have come after the report?
#
# To be fair, both worlds must be free to go their own way from the same day. `history.free_from` says so for the
# first; the scenario `tight_leash` says so itself. We run one world with seed 1 and the other twice: with the same
# seed, and with another one.

# %%
loose = simulate("article", runs=4000, seed=1, overrides={"history.free_from": "2024-01-29"})
tight = simulate("tight_leash", runs=4000, seed=1)
stranger = simulate("tight_leash", runs=4000, seed=2)

bases = ["iraq", "syria", "jordan"]
after = [data["theatre_attacks"].sel(theatre=bases, window="later").sum("theatre") for data in (loose, tight, stranger)]

figure, panels = canvas(2, height=4, shared=True)
for axes, other, title in zip(panels, after[1:], ["common random numbers", "independent random numbers"], strict=True):
    axes.scatter(after[0][:1000], other[:1000], s=5, color="#0072B2", alpha=0.5)
    axes.plot([0, 220], [0, 220], color="#6B6B6B", linewidth=1)
    axes.set_title(title, loc="left")
    axes.set_xlim(-5, 225)
    axes.set_xlabel("attacks with the loose leash")
panels[0].set_ylabel("attacks with the tight leash")
figure

# %% [markdown]
# Each dot is a pair: run 17 of one world and run 17 of the other. Below the grey line the tight leash has fewer
# attacks.
#
# On the left both worlds use the same random numbers: the same number decides on the same day whether a rocket gets
# through, whether Washington answers, when Tehran releases its order. A quiet winter is quiet in both, so the dots
# stay near the line, and nearly all lie on it or below. In the few far above, the loose leash let one more attack
# kill; the Americans struck hard a second time, and it went quiet for that reason. (A dot at zero is a winter that
# ended in war before the report.) On the right each world uses its own random numbers. The same difference is in
# there, buried under noise.
#
# This method is called *common random numbers* (the same chance events in both worlds). It works because each random
# number has an address (notebook 02), so run 17 finds the same one in every world.

# %%
paired, unpaired = (after[1] - after[0]).values, (after[2] - after[0]).values
for name, difference in {"common": paired, "independent": unpaired}.items():
    error = difference.std() / len(difference) ** 0.5
    print(f"{name:11} {difference.mean():6.1f} attacks, standard error {error:.2f}")
print(f"To be as sure without pairs, you need {(unpaired.std() / paired.std()) ** 2:.0f} times as many runs.")

# %% [markdown]
# With only 50 runs of each world, what would you have believed?

# %%
figure, [axes] = canvas(height=2.4)
for row, difference in enumerate([unpaired, paired]):
    studies = difference.reshape(80, 50).mean(axis=1)
    axes.scatter(studies, np.full(80, row), s=60, alpha=0.35, color=["#BF5200", "#0072B2"][row], edgecolors="none")
axes.axvline(0, color="#6B6B6B", linewidth=1)
axes.set_yticks([0, 1], ["independent", "common"])
axes.set_ylim(-0.6, 1.6)
axes.set_xlabel("difference that a study with 50 runs reports (attacks)")
figure

# %% [markdown]
# Eighty small studies in each row. With independent random numbers several would have reported that the tight leash
# brings *more* attacks. With common ones not one does.
#
# The method has limits. It helps as long as both worlds go through the same kind of events. Where a policy changes
# the events themselves, each world uses its random numbers for something else, and pairs help less. Exercise 4 has
# such a case.
#
# ## All of it in one line
#
# `compare` pairs the runs, frees the record on the right day, and computes the differences. Here with the declared
# parameters of the model; notebook 06 lets the parameters vary too. `attacks_after` counts from the strikes on, so
# the difference is slightly larger than ours. It also leaves out the pairs in which either winter ends in war:
# attacks that a war cut off would look like attacks that did not happen. The interval in brackets is the 90% one.

# %%
pairs = compare(["article", "tight_leash"], runs=4000, seed=1, parameters="defaults")
draw(pairs, "attacks_after")

# %% [markdown]
# ## Exercises
#
# Write your answer in place of `None`, run that cell, then run the (folded) cell below it.
#
# **1.** What is the standard error of the mean of `attacks_campaign` over the 4,000 runs of `winter`?

# %% tags=["exercise"]
answer_1 = None  # your answer: attacks

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_1 = float(winter["attacks_campaign"].std()) / 4000**0.5
assert 0.1 < solution_1 < 0.4
if answer_1 is not None:
    print("right" if abs(answer_1 / solution_1 - 1) < 0.02 else "not yet: standard deviation over the square root of n")

# %% [markdown]
# **2.** You want to know the probability of something that happens in about half of the runs, with a standard error
# of 0.01. How many runs do you need?

# %% tags=["exercise"]
answer_2 = None  # your answer: a number of runs

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_2 = round(0.5 * 0.5 / 0.01**2)
assert (0.5 * 0.5 / solution_2) ** 0.5 <= 0.01
if answer_2 is not None:
    print("right" if answer_2 == solution_2 else "not yet: solve sqrt(p (1 - p) / n) = 0.01 for n")

# %% [markdown]
# **3.** In what share of the pairs with common random numbers did the tight leash bring fewer attacks after the
# report than the loose one? And with independent ones? Answer with the first number minus the second.

# %% tags=["exercise"]
answer_3 = None  # your answer: a difference of two shares

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_3 = float((paired < 0).mean() - (unpaired < 0).mean())
assert 0.1 < solution_3 < 0.5
again = (paired > 10) & (loose["major_responses"] > tight["major_responses"]).values
assert again.sum() > 0.75 * (paired > 10).sum()
assert (paired.reshape(80, 50).mean(axis=1) < 0).all()
assert (unpaired.reshape(80, 50).mean(axis=1) > 0).sum() >= 3
if answer_3 is not None:
    print("right" if abs(answer_3 - solution_3) < 0.006 else "not yet: (paired < 0).mean() is the first")

# %% [markdown]
# **4.** What if Iran had ordered nothing at all? Simulate `no_restraint` with 4,000 runs, once with seed 1 and
# once with seed 2, and subtract the `lull_days` of `loose`. How many times as many runs does the study without pairs
# need? (Variance of the unpaired differences over variance of the paired ones.)

# %% tags=["exercise"]
answer_4 = None  # your answer: a ratio; 1 means that pairs are worth nothing

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
silent = [simulate("no_restraint", runs=4000, seed=seed)["lull_days"] - loose["lull_days"] for seed in (1, 2)]
solution_4 = float(silent[1].var() / silent[0].var())
assert 0.9 < solution_4 < 1.5 < (unpaired.std() / paired.std()) ** 2  # here pairs are worth hardly anything
if answer_4 is not None:
    print("right: the events changed" if abs(answer_4 - solution_4) < 0.02 else "not yet: the differences' variances")
