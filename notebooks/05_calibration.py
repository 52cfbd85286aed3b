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
# # 05 · Calibration: what the figures can and cannot tell
#
# **What you will learn**
#
# - how to calibrate a model with nothing but a filter: live histories with many numbers, keep those that fit
# - when a number is *identified*, when only weakly, when not at all, and why the last gets no value
# - how rival explanations of the same calm are weighed, and what one winter cannot decide
#
# The model has some sixty numbers that nobody has measured. The article has a handful of figures. Here are six of the
# numbers: in grey what was thought possible before, in blue what is left once the figures have spoken.

# %%
import numpy as np

from sim import calibrate, canvas, draw, sweep

before = sweep({"study.draws": "prior", "study.points": 40_000, "study.runs": 1}, to="before").squeeze("run").load()
after = sweep({"study.draws": "posterior", "study.points": 1400, "study.runs": 1}, to="after").squeeze("run").load()
moved = ["multipliers.baseline", "casualties.lethality", "deterrence.fear_half_life"]
still = ["patron.control", "ladder.war_rate", "patron.release_rate"]
draw({"before": before, "after": after}, *moved, *still)

# %% [markdown]
# The first has moved a lot, the next two a little, the three in the lower row hardly at all. (The jagged edges are
# luck: the blue draws are only 1,400.) All of this notebook is about that difference.
#
# ## Calibration is a filter
#
# Each point of `before` is one history with numbers of its own, drawn from what was thought possible (the *prior*).
# Which of these 40,000 would have been reported as the article reports? It says: at least 170 attacks before the
# strikes (F01), none in Iraq from then to the report (F02), two in Syria (F03). We read "at least 170" as 170 to 179.

# %%
counted = before["theatre_acknowledged"]
campaign = before["acknowledged_campaign"]
filters = {
    "170 to 179 before the strikes": (campaign >= 170) & (campaign < 180),
    "none in Iraq after them": counted.sel(theatre="iraq", window="lull") == 0,
    "two in Syria after them": counted.sel(theatre="syria", window="lull") == 2,
}
fits = campaign >= 0
print(f"{int(fits.sum()):>6,} histories")
for name, one in filters.items():
    fits = fits & one
    print(f"{int(fits.sum()):>6,} left: {name}")

# %% [markdown]
# About one in 160 passes all three. Their numbers *are* the calibration, the *posterior*: all that can be said about
# the numbers, given these figures, this model and what was thought possible before. There is no more magic in it; the
# rest is patience, and `lull calibrate` lives millions.
#
# ## Does it matter, or does it not?
#
# Cut the histories into ten parts of equal size, by one of their numbers. In each part, how many fit? (To have enough
# to count, let us take one to three attacks in Syria for a fit. The black lines are two standard errors to each side.)

# %%
syria = counted.sel(theatre="syria", window="lull")
fits = filters["170 to 179 before the strikes"] & filters["none in Iraq after them"] & (syria >= 1) & (syria <= 3)

figure, axes = canvas(3, shared=True)
for panel, key in zip(axes, ["multipliers.baseline", "deterrence.fear_half_life", "patron.control"], strict=True):
    tenths = np.array_split(fits.values[np.argsort(before[key].values)], 10)
    share = np.array([tenth.mean() for tenth in tenths])
    panel.bar(range(1, 11), share, yerr=2 * np.sqrt(share * (1 - share) / 4000), color="tab:blue")
    panel.set_title(key)
    panel.set_xlabel("tenth of the histories, by this number")
axes[0].set_ylabel("share that fits")
figure

# %% [markdown]
# - Left: a hill. With a low baseline there are too few attacks, with a high one too many. The figures have an opinion.
# - Middle: a lower hill. Where fear of the strikes fades within a week, attacks in Iraq are often back before the
#   report. Where it stays for a month or more, there are usually none in Syria either. Best is something between, but
#   no part is ruled out: other numbers can make up for it.
# - Right: nearly flat. With a firm hand in Tehran or a weak one, the model fits about equally often.
#
# A flat picture means that the figures have *nothing to say* about this number. That is why Lull gives no value for
# it. Suppose it did. Two teams take the same data. One believes that control lies between 0.4 and 0.7, the other that
# it lies between 0.7 and 1.

# %%
control = before["patron.control"]
for team, believed in {"low": control < 0.7, "high": control >= 0.7}.items():
    kept = control.where(fits & believed, drop=True)
    print(f"team {team}: {fits.where(believed).mean():.1%} of its histories fit; mean of control {kept.mean():.2f}")

# %% [markdown]
# Each team gets back what it put in: before looking at any data, the means were 0.55 and 0.85. A printed "control =
# 0.56" would look like a finding and be a prejudice. So a number that is *not identified* gets an interval and no
# more, and every conclusion has to be tried over the whole interval.
#
# ## Together, but not apart
#
# What is counted are *acknowledged* attacks. So there may have been few attacks, nearly all of them seen, or more
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
panel.set_xlabel("chance that an attack is acknowledged")
panel.set_ylabel("baseline, relative to the declared one")
panel.legend(loc="lower left", markerscale=4)
figure

# %% [markdown]
# The blue cloud slopes down: the lower the chance to be seen, the more attacks it takes. Of the chance alone the
# figures say nothing, for there are blue points from left to right. Of the *product* of the two they say more than of
# either (exercise 2). Lull looks for such products and lists them by themselves.
#
# ## The library's verdicts
#
# `calibrate` does the same with seven figures (the three counts, and four more such as "no direct war so far"), and
# checks itself. Here it is kept small: 300,000 histories instead of four million.

# %%
done = calibrate(
    [
        "calibration.draws=3e5",
        "calibration.truths=100",
        "calibration.rival_draws=1e5",
        "calibration.again_draws=0",
        "calibration.predictive_runs=500",
    ]
)
print(f"{done.posterior.effective:.0f} of {done.posterior.bank.size:,} draws are left, in effect")
for one in done.quantities[:6]:
    print(f"{one.name:32} {one.verdict:12} contraction {one.contraction:.0%}")

# %%
for verdict in ("identified", "weakly", "not identified"):
    print(f"{verdict:15} {sum(one.verdict == verdict for one in done.quantities):>3}")

# %% [markdown]
# The first in the list is the product from above, and the third is one too: the share of attacks that kill. Of 61
# numbers and products only three are identified. With more histories a few more become *weakly* identified, and that
# is all.
#
# *Contraction* says by how much the spread of a number shrank. *Identified* takes a contraction of half or more, and
# two further things: the number must not be entangled with another one, and the method must find it again where we
# know it.
#
# For that, truths are planted. Take numbers, live a history with them, forget them, and calibrate on that history. Is
# the true value where the method says? If intervals of 90% are honest, they must hold the truth nine times in ten.

# %%
checked = done.conscience.checked["anywhere"]
print(f"intervals of 90% held the planted truth in {np.mean([one.coverage_90 for one in checked]):.0%} of the cases")
draw(done, "check")

# %% [markdown]
# Each blue line belongs to one number of the model. As long as it stays between the black curves, nothing speaks
# against its intervals. On the left the truths were planted anywhere, on the right near the article.
#
# ## Rival readings
#
# What brought the calm? Strikes that deter; a patron that holds back over deaths and acts against it; a patron that
# holds back over threats and strikes. Each can be shut off in the model. So there are eight readings, from "none of
# these" to "all of them". Give each the same chance before, and let the figures weigh them.
#
# One trap first. The article says that two groups complied later than others. Where there is no order nobody complies,
# so under "strikes" alone this is impossible *by definition*. To count it would be to decide against strikes by the
# wording of the question. So it counts for no reading, as the line below the picture says.

# %%
draw(done, "readings")

# %% [markdown]
# Left, in blue: three combinations share about three quarters, and between these the figures do not choose: the thin
# lines (95%) overlap. Of single causes strikes do best, and an order alone has little left. Right, in blue: in more
# than eight of ten draws that have the calm, no cause is enough alone.
#
# Mind the small print. That a single cause does worse holds *in this model, under these priors*. The diamonds show how
# far it moves if some priors are made wider. And with so few histories the lines are long. `docs/calibration.md` has
# the numbers of the large calibration: 12% for strikes alone, 2% if fear of them fades fast and 23% if it lasts.
#
# **What this cannot tell.** Which combination it was. How long the lull lasts, and whether war comes after the report:
# the figures end with the report, so only assumptions speak of that (F34, F37). Exercise 3 shows it.
#
# ## Exercises
#
# Write your answer in place of `None`, run that cell, then run the (folded) cell below it.
#
# **1. Through the filter.** How many of the 40,000 histories pass if you do not ask for 170 to 179 attacks, but for
# 170 *or any number above*, and for none in Iraq and two in Syria as before?

# %% tags=["exercise"]
answer_1 = None  # your answer: histories

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
calm = filters["none in Iraq after them"] & filters["two in Syria after them"]
solution_1 = int(((campaign >= 170) & calm).sum())
assert solution_1 > 2 * int((filters["170 to 179 before the strikes"] & calm).sum())
if answer_1 is not None:
    print("right: how a figure is read is a choice" if answer_1 == solution_1 else "not yet: join filters with `&`")

# %% [markdown]
# **2. Measure a contraction.** Contraction is 1 − (variance after) / (variance before), of a number's *rank* among
# all 40,000 (so that units do not matter). Work it out for the product of `multipliers.baseline` and
# `observation.chance`, with the histories in `right_count` as "after".

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
# **3. What assumptions decide.** When do the attacks resume? Among the histories that fit (`fits`), in what share is
# `lull_days` below 120? Work that out twice: for those with `patron.release_rate` above its median in `before`, and for
# those below. What is the difference?

# %% tags=["exercise"]
answer_3 = None  # your answer: a difference of two shares

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
soon = before["lull_days"] < 120
fast = before["patron.release_rate"] > before["patron.release_rate"].median()
solution_3 = float(soon.where(fits & fast).mean() - soon.where(fits & ~fast).mean())
assert solution_3 > 0.1
if answer_3 is not None:
    print(
        "right" if abs(answer_3 - solution_3) < 0.01 else "not yet: `soon.where(fits & fast).mean()` is one of the two"
    )
