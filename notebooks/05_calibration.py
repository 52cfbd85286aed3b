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
# # 05 · Calibration: what the observations can and cannot tell
#
# **What you will learn**
#
# - how to calibrate a model with a filter: simulate runs at many parameter sets, keep those that fit
# - when a number is *identified*, when only weakly, when not at all, and why the last gets no value
# - how rival explanations of the same calm are compared, and what one winter cannot decide
#
# The model has some seventy numbers without a measurement. The article has a handful of observations. Here are six of
# the numbers: in grey the *prior*, what was thought possible before, in blue the *posterior*, what is left given the
# observations.

# %%
import numpy as np

from sim import calibrate, canvas, draw, sweep

before = sweep(overrides={"study.draws": "prior"}, points=40_000, runs=1, to="before").data.squeeze("run").load()
after = sweep(overrides={"study.draws": "posterior"}, points=500, runs=1, to="after").data.squeeze("run").load()
moved = ["multipliers.baseline", "casualties.lethality", "deterrence.fear_half_life"]
still = ["patron.control", "ladder.war_rate", "patron.release_rate"]
draw({"before": before, "after": after}, *moved, *still)

# %% [markdown]
# The first has moved a lot, the next two a little, the three in the lower row hardly at all. (The jagged edges are
# Monte Carlo error: the blue draws are only 500.) All of this notebook is about that difference.
#
# ## Calibration is a filter
#
# Each point of `before` is one run with parameters of its own, drawn from the prior. Which of these 40,000 would have
# been reported as the article reports? It says: at least 170 attacks before the strikes (F01), none in Iraq from then
# to the report (F02), two in Syria (F03). We read "at least 170" as 170 to 179. That is an *observation model*: how
# what happened became what was reported.

# %%
counted = before["theatre_acknowledged"]
campaign = before["acknowledged_campaign"]
filters = {
    "170 to 179 before the strikes": (campaign >= 170) & (campaign < 180),
    "none in Iraq after them": counted.sel(theatre="iraq", window="lull") == 0,
    "two in Syria after them": counted.sel(theatre="syria", window="lull") == 2,
}
fits = campaign >= 0
print(f"{int(fits.sum()):>6,} runs")
for name, one in filters.items():
    fits = fits & one
    print(f"{int(fits.sum()):>6,} left: {name}")

# %% [markdown]
# About one in 600 passes all three. Their parameters *are* a sample of the posterior: all that can be said about the
# parameters, given these observations, this model and this prior. The method is called *rejection ABC* (approximate
# Bayesian computation); `lull calibrate` simulates millions of runs and uses *importance weights* in place of yes and
# no.
#
# ## Does a number matter?
#
# Cut the runs into ten parts of equal size, by one of their parameters. In each part, how many fit? (To have enough
# to count, let one to three attacks in Syria count as a fit. The black lines are two standard errors to each side.)

# %%
syria = counted.sel(theatre="syria", window="lull")
fits = filters["170 to 179 before the strikes"] & filters["none in Iraq after them"] & (syria >= 1) & (syria <= 3)

figure, axes = canvas(3, shared=True)
for panel, key in zip(axes, ["multipliers.baseline", "deterrence.fear_half_life", "patron.control"], strict=True):
    tenths = np.array_split(fits.values[np.argsort(before[key].values)], 10)
    share = np.array([tenth.mean() for tenth in tenths])
    panel.bar(range(1, 11), share, yerr=2 * np.sqrt(share * (1 - share) / 4000), color="tab:blue")
    panel.set_title(key)
    panel.set_xlabel("tenth of the runs, by this number")
axes[0].set_ylabel("share that fits")
figure

# %% [markdown]
# - Left: a hill. With a low baseline there are too few attacks, with a high one too many. The observations inform
#   this number.
# - Middle: a lower hill. Where fear of the strikes fades within a week, attacks in Iraq are often back before the
#   report. Where it stays for a month or more, there are usually none in Syria either. Values between fit best, but
#   no part is ruled out: other numbers can make up for it.
# - Right: nearly flat. With a firm hand in Tehran or a weak one, the model fits about equally often.
#
# A flat picture means that the observations say *nothing* about this number. That is why Lull gives no value for it.
# Suppose it did. Two teams take the same data. One believes that control lies between 0.4 and 0.7, the other that it
# lies between 0.7 and 1.

# %%
control = before["patron.control"]
for team, believed in {"low": control < 0.7, "high": control >= 0.7}.items():
    kept = control.where(fits & believed, drop=True)
    print(f"team {team}: {fits.where(believed).mean():.1%} of its runs fit; mean of control {kept.mean():.2f}")

# %% [markdown]
# Each team gets back what it put in: before looking at any data, the means were 0.55 and 0.85. A printed "control =
# 0.56" would look like a finding and be an assumption. So a number that is *not identified* gets an interval and no
# more, and every conclusion has to be tried over the whole interval.
#
# ## Together, but not apart
#
# The report counts *acknowledged* attacks. So there may have been few attacks, nearly all of them seen, or more
# attacks, some unseen.

# %%
right_count = filters["170 to 179 before the strikes"]
figure, [panel] = canvas(height=3.6)
panel.scatter(before["observation.chance"], before["multipliers.baseline"], s=1, color="lightgray", label="all")
panel.scatter(
    before["observation.chance"].where(right_count),
    before["multipliers.baseline"].where(right_count),
    s=6,
    label="170 to 179",
)
panel.set_xlabel("probability that an attack is acknowledged")
panel.set_ylabel("baseline, relative to the declared one")
panel.legend(loc="lower left", markerscale=4)
figure

# %% [markdown]
# The blue cloud slopes down: the lower the probability to be seen, the more attacks it takes. The observations do not
# inform the probability alone, for there are blue points from left to right. They inform the *product* of the two
# more than either (exercise 2). Lull looks for such products and lists them separately.
#
# ## Identifiability
#
# `calibrate` does the same with seven observations (the three counts, and four more such as "no direct war so far"),
# and checks itself. Here it is kept small: a million runs instead of sixteen.

# %%
calibration = calibrate(
    overrides={
        "calibration.draws": 1e6,
        "calibration.sbc_datasets": 100,
        "calibration.hypothesis_draws": 1e5,
        "calibration.rejection_draws": 0,
        "calibration.predictive_runs": 500,
    }
)
done = calibration.found
print(f"effective sample size {done.posterior.effective:.0f} of {done.posterior.bank.size:,} draws")
for one in done.quantities[:6]:
    print(f"{one.quantity:32} {one.verdict:12} contraction {one.contraction:.0%}")

# %%
for verdict in ("identified", "weakly", "not identified"):
    print(f"{verdict:15} {sum(one.verdict == verdict for one in done.quantities):>3}")

# %% [markdown]
# The first in the list is the product from above, and the third is one too: the share of attacks that kill. Of 76
# numbers and products only three are identified. With more runs a few more become *weakly* identified, and that is
# all.
#
# *Contraction* says by how much the variance of a number shrank. *Identified* takes a contraction of half or more,
# and two further things: the number must not be entangled with another one, and the method must recover it where we
# know it.
#
# That is tested by *simulation-based calibration* (SBC). Draw parameters from the prior, simulate data, compute the
# posterior. Is the true value where the method says? If intervals of 90% are honest, they must hold the true value in
# 90% of the data sets.

# %%
checked = done.sbc.checked["anywhere"]
print(f"intervals of 90% held the true value in {np.mean([one.coverage_90 for one in checked]):.0%} of the cases")
draw(calibration, "sbc")

# %% [markdown]
# Each blue line belongs to one number of the model. As long as it stays between the black curves, no error of its
# intervals is visible. On the left the true values were drawn anywhere under the prior, on the right near the
# article.
#
# ## Rival explanations
#
# What caused the calm? The order to hold back is documented, so it stands in every explanation. They differ in whether
# militias *heed* it, whether strikes deter, and whether their announcement does. Each can be switched off in the model.
# And the model has two forms: wings comply by degrees, or whole groups decide to pause. So there are sixteen
# explanations, from "none of these" to "all of them". Give each the same prior probability, and compute the posterior
# ones.
#
# One trap first. The article says that two groups complied later than others. By degrees, no militia complies with an
# order that it does not heed, so there this is impossible *by definition*. To count it would be to decide against
# strikes by the wording of the question. So it counts for no explanation, as the line below the picture says.

# %%
draw(calibration, "hypotheses")

# %% [markdown]
# Left, in blue: no cause but the announcement is excluded, the forms are about equally probable, and the observations
# do not choose between the combinations: the thin lines (95%) overlap. Right, in blue: in about half of the draws that
# have the calm, no cause is enough alone.
#
# Mind the condition. That a single cause is less probable holds *in this model, under these priors*. The diamonds
# show how far it moves if some priors are made wider. And with so few runs the lines are long. `docs/calibration.md`
# has the numbers of the large calibration.
#
# **What this cannot tell.** Which combination it was. How long the lull lasts, and whether war comes after the
# report: the observations end with the report, so only assumptions decide that (F34, F37). Exercise 3 shows it.
#
# ## Exercises
#
# Write your answer in place of `None`, run that cell, then run the (folded) cell below it.
#
# **1. Through the filter.** How many of the 40,000 runs pass if you do not ask for 170 to 179 attacks, but for 170
# *or any number above*, and for none in Iraq and two in Syria as before?

# %% tags=["exercise"]
answer_1 = None  # your answer: runs

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
calm = filters["none in Iraq after them"] & filters["two in Syria after them"]
solution_1 = int(((campaign >= 170) & calm).sum())
assert solution_1 > 2 * int((filters["170 to 179 before the strikes"] & calm).sum())
if answer_1 is not None:
    print("right: an observation model is a choice" if answer_1 == solution_1 else "not yet: join filters with `&`")

# %% [markdown]
# **2. Measure a contraction.** Contraction is 1 − (variance after) / (variance before), of a number's *rank* among
# all 40,000 (so that units do not matter). Compute it for the product of `multipliers.baseline` and
# `observation.chance`, with the runs in `right_count` as "after".

# %% tags=["exercise"]
answer_2 = None  # your answer: a share between 0 and 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
product = (before["multipliers.baseline"] * before["observation.chance"]).values
rank = product.argsort().argsort()
solution_2 = float(1 - rank[right_count.values].var() / rank.var())
alone = before["multipliers.baseline"].values.argsort().argsort()
assert 1 - alone[right_count.values].var() / alone.var() < solution_2
if answer_2 is not None:
    right = abs(answer_2 - solution_2) < 0.01
    print("right: more than the baseline alone" if right else "not yet: `argsort().argsort()` gives ranks")

# %% [markdown]
# **3. What assumptions decide.** When do the attacks resume? In what share of all runs of `before` is `lull_days` below
# 160? Compute that twice: for those with `pause.resuming_rate` above its median, and for those below. What is the
# difference?

# %% tags=["exercise"]
answer_3 = None  # your answer: a difference of two shares

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
soon = before["lull_days"] < 160
fast = before["pause.resuming_rate"] > before["pause.resuming_rate"].median()
solution_3 = float(soon.where(fast).mean() - soon.where(~fast).mean())
assert solution_3 > 0.05
if answer_3 is not None:
    print("right" if abs(answer_3 - solution_3) < 0.01 else "not yet: `soon.where(fast).mean()` is one of the two")
