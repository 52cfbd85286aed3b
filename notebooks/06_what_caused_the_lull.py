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
# # 06 · What caused the lull?
#
# **What you will learn**
#
# - how to ask "what if not?" of one decision (a *counterfactual*) under common random numbers, and what that is worth
# - why causes that interact have no share of their own, and what a *Shapley value* is
# - how to follow two runs to the decision at which they diverge
#
# After 2 February 2024 attacks on American soldiers nearly stopped (F02, F03). Washington had bombed (F05), Tehran
# had ordered its militias to stop (F21, F22). The report credits both (F33). Below is the winter as it was, and two
# that did not happen: one without Tehran's order, and one in which Washington neither threatens nor bombs after the
# deaths of January.

# %%
import numpy as np

from sim import canvas, compare, diff, draw, explain, simulate

free = {"history.free_from": "2024-01-29"}  # from here on nothing is pinned, in any of them
winters = {
    "as it was": simulate("article", runs=2000, overrides=free),
    "no order": simulate("no_restraint", runs=2000),
    "no threat, no bombs": simulate("no_threat", runs=2000),
}
draw(winters)

# %% [markdown]
# Without the order (orange) the bombs bring a calm of two weeks, then the attacks return. Without threat and bombs
# (green) there is a calm all the same. So it was the order, and the bombs had no effect? Not so fast. First let us
# see how to compare such winters.
#
# ## Common random numbers
#
# To compare two worlds, you could simulate a thousand winters of each. But then two things differ: the decision, and
# the random numbers. Here run 17 uses the same random numbers in both worlds. Any difference is the effect of the
# decision alone.

# %%
as_it_was = winters["as it was"]["attacks_lull"].values
tight = simulate("tight_leash", runs=2000)["attacks_lull"].values

difference = tight - as_it_was
shuffled = tight - np.roll(as_it_was, 1)  # run 17 against run 16: independent random numbers

figure, axes = canvas(2, shared=True)
bars = np.arange(-9.5, 5)
for panel, values, name in zip(axes, (shuffled, difference), ("independent", "common random numbers"), strict=True):
    panel.hist(values, bars)
    panel.axvline(values.mean(), color="black", linestyle="--")
    panel.set_title(f"{name}: variance {values.var():.1f}")
    panel.set_xlabel("attacks in the lull, tight leash minus article")
axes[0].set_ylabel("pairs of runs")
figure

# %% [markdown]
# Both pictures have the same mean (dashed), for they come from the same 4,000 runs. But on the left a tight leash
# often seems to make things worse. That is noise. On the right, with common random numbers, it hardly ever does.

# %%
removed = 1 - difference.var() / shuffled.var()
print(f"common random numbers remove {removed:.0%} of the variance")
print(f"the same precision needs {difference.var() / shuffled.var():.0%} of the runs")
print(f"a tight leash is better in {(difference < 0).mean():.0%} of pairs, worse in {(difference > 0).mean():.1%}")

# %% [markdown]
# ## With other parameters
#
# The first picture has one parameter set, the declared one. But many sets agree with the article (notebook 05). So
# take 100 of them, simulate 50 runs with each, and look at the means.

# %%
choices = compare(["article", "no_restraint", "no_threat"], draws=100, runs=50)
draw(choices, "attacks_lull")

# %% [markdown]
# Direct war ends a run, and the attacks that would have followed are not counted. So a dot is the mean over those of
# the 5,000 pairs in which neither winter has a war; its bar holds 90% of the 100 parameter sets. A dot to the right
# of the tick means more attacks than in the winter as it was; the words below its title give the difference.
#
# Now the winter with neither threat nor bombs is the *worse* of the two. In the first picture it looked harmless,
# because with the declared parameters the deaths alone alarm Tehran enough. With others it takes the threat. Hence
# the long bars, and a rule: **never believe a conclusion that you have seen at one parameter set only.**
#
# ## First in, last in
#
# Now to the causes. Switch the order and the major strikes off, one by one and together, and count the attacks
# between the strikes and the report. That makes four worlds.

# %%
shares = explain(outcome="attacks_lull", mechanisms=["patron_restraint", "major_response"], draws=100, runs=50)
two = shares.data
worlds = two["mean_by_coalition"].mean("draw").to_series().round(1)
neither, order, strikes, both = worlds
worlds

# %%
figure, [panel] = canvas(height=2.4)
panel.barh(["neither", "strikes alone", "order alone", "both"], [neither, strikes, order, both])
panel.set_xlabel("attacks in the 25 days after the strikes")
figure

# %% [markdown]
# What is the effect of the order? There are two honest answers. It came first: then it takes us from *neither* to
# *order alone*. It came last: then from *strikes alone* to *both*.

# %%
print(f"order:   first {order - neither:+.1f}, last {both - strikes:+.1f}")
print(f"strikes: first {strikes - neither:+.1f}, last {both - order:+.1f}")

# %% [markdown]
# Four different numbers, and each is right. To say "the strikes prevented so many attacks" is to choose one of them
# silently. The two causes can replace each other: the second one finds little left to do. So the two "last" numbers
# do not even add up to the whole.
#
# The mathematician Lloyd Shapley asked in 1953 how players should share what they earn together. His answer: let them
# arrive in every possible order, and give each the average of what it adds. With two causes there are two orders.

# %%
shapley_order = ((order - neither) + (both - strikes)) / 2
shapley_strikes = ((strikes - neither) + (both - order)) / 2
print(f"Shapley values: order {shapley_order:+.1f}, strikes {shapley_strikes:+.1f}")
print(f"together: {shapley_order + shapley_strikes:+.1f}")
print(f"from neither to both: {both - neither:+.1f}")
assert np.allclose([shapley_order, shapley_strikes], two["shapley"], atol=0.1)  # the library says the same

# %% [markdown]
# Shapley values always add up to the whole. And a cause that changes nothing gets exactly nothing.
#
# ## More causes
#
# Strikes work through fear, orders through obedience, mediators help. Take four mechanisms: sixteen worlds,
# twenty-four orders of arrival.

# %%
causes = ["patron_restraint", "major_response", "fear", "mediation"]
four = explain(outcome="attacks_lull", mechanisms=causes, draws=100, runs=20)
draw(four)

# %% [markdown]
# Compare the circles (alone) with the diamonds (lost where only this one is missing).
#
# - *Major strikes alone* make it **worse**: without fear, they only embitter. Together with fear their absence costs
#   most. Strikes and fear need each other.
# - *Mediators alone* add **nothing**: while the campaign is ordered no militia complies. Together with an order they
#   count (F26, F27).
# - The black lines are long. With other parameters that fit the article just as well, the shares are quite different.
#
# So "how much of the lull is due to the bombs?" has no single number as its answer. It depends on the other causes,
# and on unknown parameters. The safe conclusion is weaker and still worth saying: in this model, none of the four
# brings the lull alone.
#
# ## Where two runs diverge
#
# Averages show no mechanism at work. Take one run, number 7, and simulate it with the order and without.

# %%
split = diff(["article", "no_restraint"], run=7)
draw(split)

# %% [markdown]
# Up to the dashed line both runs are equal. Here is how they diverge, state by state.

# %%
split

# %% [markdown]
# The first difference is a decision: Iran was alarmed, or was not. Two days later there is an order, the day after it
# other rates of attack, and from there the two winters drift apart. Weeks later there is an opportunity to strike
# a militia leader. Where it is quiet, the United States declines (as in F29); where it is not, it strikes.
#
# Remember that this is one run. It shows *how* a difference can arise, not how large it is. For that you need pairs
# by the thousand, as above.
#
# **What this cannot tell.** All of this is about causes *in the model*. That the order counts for much here follows
# from rules and numbers which we put in. Notebook 05 shows that the observations do not choose between the
# explanations, and notebook 07 what goes wrong when counts are left to speak for themselves.
#
# ## Exercises
#
# **1. What are common random numbers worth here?** Above, a tight leash was compared. Now compare the 2,000 winters
# without an order, `winters["no order"]`, with `as_it_was`. Which share of the variance of `attacks_lull` do common
# random numbers remove? (Shuffle with `np.roll(as_it_was, 1)`.)

# %% tags=["exercise"]
answer_1 = None  # your answer: a share between 0 and 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
loose = winters["no order"]["attacks_lull"].values
solution_1 = float(1 - (loose - as_it_was).var() / (loose - np.roll(as_it_was, 1)).var())
assert 0 < solution_1 < removed
if answer_1 is not None:
    right = abs(answer_1 - solution_1) < 0.02
    print("right: the more two worlds differ, the less pairs help" if right else "not yet: as for the tight leash")

# %% [markdown]
# **2. The probability of war.** Share out the outcome `war` among `patron_restraint` and `major_response`, with
# `draws=100, runs=50` as above. What is the Shapley value of the major strikes? (A probability, so a number such as
# 0.02; mind the sign.)

# %% tags=["exercise"]
answer_2 = None  # your answer: a probability

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
of_war = explain(outcome="war", mechanisms=["patron_restraint", "major_response"], draws=100, runs=50).data
solution_2 = float(of_war["shapley"].sel(mechanism="major_response"))
assert solution_2 > 0
if answer_2 is not None:
    right = abs(answer_2 - solution_2) < 0.005
    print("right: what calms the militias brings war nearer" if right else "not yet: `explain` gives it as `shapley`")

# %% [markdown]
# **3. Shapley values by hand.** Three mechanisms: `patron_restraint`, `major_response`, `fear`, with
# `draws=100, runs=20`. From the eight worlds in `mean_by_coalition`, compute the Shapley value of fear: six orders of
# arrival, in each the amount that fear adds to those before it.

# %% tags=["exercise"]
answer_3 = None  # your answer: attacks

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
causes = ["patron_restraint", "major_response", "fear"]
three = explain(outcome="attacks_lull", mechanisms=causes, draws=100, runs=20).data
_, r, u, ru, f, rf, uf, ruf = three["mean_by_coalition"].mean("draw").values
# Fear comes first in two of six orders, second in one after each of the others, last in two.
solution_3 = float((2 * (f - _) + (rf - r) + (uf - u) + 2 * (ruf - ru)) / 6)
assert np.isclose(solution_3, three["shapley"].sel(mechanism="fear"))
if answer_3 is not None:
    print("right" if abs(answer_3 - solution_3) < 0.1 else "not yet: weigh first and last by two, second by one")

# %% [markdown]
# **4. One pair says little.** In `no_us_strikes` there are no American strikes from October on. Of the single pairs
# without war in either winter, in which share were there *fewer* attacks in the lull than in the article's winter?
# (`never` holds shares of these pairs as `no_war_less`, `no_war_tie` and `no_war_more`.)

# %%
never = compare(["article", "no_us_strikes"], draws=100, runs=50).data

# %% tags=["exercise"]
answer_4 = None  # your answer: a share between 0 and 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_4 = float(never["no_war_less"].sel(comparison="no_us_strikes", measure="attacks_lull"))
assert 0.05 < solution_4 < 0.5
if answer_4 is not None:
    print("right" if abs(answer_4 - solution_4) < 0.005 else "not yet: select comparison and measure")
