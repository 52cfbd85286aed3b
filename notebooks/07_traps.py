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
# # 07 · Three traps
#
# **What you will learn**
#
# - why a comparison of before and after, and even a regression over forty thousand days, can credit the wrong cause
# - why attacks fall after a strike even where strikes do nothing at all
# - why the mean number of deaths is a bad summary, and what to report instead
#
# Below are the attacks of two winters, day by day. In one of them the bombs of 2 February (dashed) did nothing, and
# an order ended the attacks. In the other there was no order, and the bombs ended them. Which is which?

# %%
import numpy as np

from sim import canvas, simulate

useless_bombs = {
    "mechanisms.fear": False,  # strikes frighten no militia
    "mechanisms.grievance": False,  # nor embitter any
    "deterrence.damage": 0,  # nor destroy anything
    "patron.alarm_per_strike": 0,  # nor impress Tehran
    "mediator.per_strike": 0,  # nor move the mediators
}
no_order = {"mechanisms.patron_restraint": False, "mechanisms.mediation": False, "deterrence.major_fear": 5}
winter = {"runs": 300, "states": range(300)}
A = simulate("article", **winter, overrides={"calendar.days": 134, **useless_bombs})
B = simulate("article", **winter, overrides={"calendar.days": 134, **no_order})

figure, axes = canvas(2, shared=True)
for panel, world, name in zip(axes, (A, B), "AB", strict=True):
    panel.bar(np.arange(134), world.state_attacks[0])
    panel.axvline(108, color="black", linestyle="--")
    panel.set_title(f"world {name}")
    panel.set_xlabel("days since 17 October 2023")
axes[0].set_ylabel("attacks a day")
figure

# %% [markdown]
# The pictures do not show it. But here we may look behind the curtain, because we built both worlds. A is the one
# with the order: the deaths of 28 January and the threat that followed alarmed Tehran, and it ordered its militias to
# stop (F09, F21). In B there was no order; the bombs frightened the militias (F05).
#
# In a laboratory we know the truth, so we can test the *methods*. Take three analysts who see the attacks and the
# strikes and nothing else.
#
# ## Trap 1: the order that came with the bombs
#
# The first analyst compares: attacks a day after the bombs, over attacks a day before.

# %%
for name, world in {"A": A, "B": B}.items():
    attacks = world.state_attacks.values
    ratio = attacks[:, 109:].mean() / attacks[:, :108].mean()
    print(f"world {name}: the rate after is {ratio:.2f} times the rate before")

# %% [markdown]
# "The bombs cut the attacks by four fifths or more", says the analyst, of either world. Of A that is wrong.
#
# The second analyst knows statistics and warns: one jump is no proof, we need a model of all days. So she explains
# the attacks of a day by the attacks and the strikes of the seven days before it. Economists call that one equation
# of a *vector autoregression* (VAR). To be safe she gets 300 winters of each world: 38,100 days.


# %%
def regression(world, lags=7):
    """Attacks of a day explained by attacks and strikes of the days before: strengths of the strikes, with errors."""
    series = (world.state_attacks.values.astype(float), world.state_strikes.values)
    past = [one[:, lags - lag : -lag].ravel() for one in series for lag in range(1, lags + 1)]
    known, today = np.column_stack([np.ones(len(past[0])), *past]), series[0][:, lags:].ravel()
    strength, (misfit,) = np.linalg.lstsq(known, today)[:2]
    return strength[-lags:], np.sqrt(np.diag(np.linalg.inv(known.T @ known))[-lags:] * misfit / len(today))


figure, axes = canvas(2, shared=True)
for panel, world, name in zip(axes, (A, B), "AB", strict=True):
    strength, error = regression(world)
    panel.bar(range(1, 8), strength, yerr=2 * error, capsize=4)
    panel.axhline(0, color="black")
    panel.set_title(f"world {name}: {strength.sum():+.2f} attacks for each strike")
    panel.set_xlabel("days after the strike")
axes[0].set_ylabel("attacks a day, per strike")
figure

# %% [markdown]
# In both worlds every bar lies far below zero, many times its error. Published studies have been built on less. "One
# strike on one militia prevents a quarter of an attack within a week, and significantly so", she would write of world
# A.
#
# Now the truth. We simulate the same 300 winters again, under common random numbers, and change one thing: the bombs
# of 2 February fall into the empty desert. The announcement, the order and everything else stay.

# %%
desert = {"target.major_intensity": 0}
A_desert = simulate("article", **winter, overrides={"calendar.days": 134, **useless_bombs, **desert})
B_desert = simulate(
    "article", **winter, overrides={"calendar.days": 134, **no_order, "deterrence.major_fear": 0, **desert}
)

figure, axes = canvas(2, shared=True)
for panel, world, other, name in zip(axes, (A, B), (A_desert, B_desert), "AB", strict=True):
    panel.plot(other.state_attacks.mean("state_run"), color="orange", linewidth=5, label="bombs fall into the desert")
    panel.plot(world.state_attacks.mean("state_run"), color="navy", label="bombs fall on militias")
    panel.axvline(108, color="black", linestyle="--")
    panel.set_title(f"world {name}")
    panel.set_xlabel("days since 17 October 2023")
axes[0].set_ylabel("attacks a day, mean of 300 winters")
axes[0].legend(loc="lower left")
figure

# %%
same = bool((A.state_attacks.values == A_desert.state_attacks.values).all())
print(f"world A: every attack of every winter the same with and without bombs? {same}")
with_bombs, without = (world.state_attacks.values[:, 109:].mean() for world in (B, B_desert))
print(f"world B: {with_bombs:.2f} attacks a day after the bombs, {without:.2f} without them")

# %% [markdown]
# In world A the bombs prevented nothing: two lines on top of each other. Yet both analysts saw a strong effect. The
# order fell into the same week, and it is not in their data. Something that comes together with the cause under
# study, and changes the outcome by itself, is a *confounder*. Three hundred winters did not help: more data make the
# error bars shorter, not the answer right.
#
# (Averaged over 300 winters the two falls differ in shape: an order takes days to reach all militias, fear comes
# overnight and fades. Scroll up to see how little of that one winter shows.)
#
# And the real winter? There, too, the order and the bombs came within days of each other (F05, F16, F33). The counts
# alone cannot show which of the two worlds is ours. Notebook 06 asks what a model adds.
#
# ## Trap 2: calm follows the strike
#
# The third analyst is careful. He leaves February out and looks at the campaign alone, at hundreds of small answers
# by the United States. For each he lines up the attacks of the two weeks before and after.

# %%
attacks = A.state_attacks.values[:, :108]
struck = A.state_limited.values[:, :108] > 0
struck[:, :15] = struck[:, -15:] = False
run, day = np.nonzero(struck)
around = np.arange(-14, 15)
course = attacks[run[:, None], day[:, None] + around].mean(axis=0)

figure, [panel] = canvas(height=2.8)
panel.plot(around[:15], course[:15], "o-", color="tab:gray", label="up to the strike")
panel.plot(around[15:], course[15:], "o-", label="after it")
panel.axhline(attacks.mean(), color="black", linestyle=":", label="mean of all days")
panel.set_title(f"World A: {len(run):,} limited strikes, lined up at day 0")
panel.set_xlabel("days since the strike")
panel.set_ylabel("attacks a day")
panel.legend(loc="upper left")
figure

# %%
naive = course[15:20].mean() / course[10:15].mean()
print(f"five days after against five days up to the strike: {naive:.2f}")

# %% [markdown]
# "Thirteen percent fewer attacks, and we averaged over thousands of strikes!" But this is world A. Strikes do nothing
# here, we switched it all off. So what do we see?
#
# Look at the grey line. The target strikes *because* the days before were bad. Bad days are partly chance, and chance
# does not last: after a bad day comes, on average, an ordinary one. That is *regression to the mean*. It makes every
# answer to bad news look like a cure: strikes after attacks, a new coach after defeats, a speed camera after
# accidents.
#
# The remedy is a fair comparison: not before against after, but *with against without*, in the same run. We force a
# strike on 10 December (day 54) in all winters, whatever went before, hold it back in all of them, and compare.


# %%
def on_10_december(kind, **world):
    """Attacks by run and day with a limited strike forced or held back on one day."""
    event = {"+events.test": {"kind": kind, "from": "2023-12-10", "source": "invented"}}
    return simulate("article", **winter, overrides={"calendar.days": 134, **world, **event}).state_attacks.values


for name, world in {"A, strikes do nothing": useless_bombs, "the article's world": {}}.items():
    forced, held = on_10_december("limited", **world), on_10_december("block_limited_response", **world)
    print(f"{name}: {forced[:, 55:60].sum() / held[:, 55:60].sum():.3f} times as many attacks in five days")

# %% [markdown]
# In world A exactly as many. In the article's world, where a strike frightens and embitters about equally, one strike
# has next to no effect either: there too a plot of before and after would show a fall.
#
# A real winter cannot be repeated. What helps outside a laboratory is to ask, before looking at the data: *why did
# this strike come on this day?* If the answer is "because of the attacks", before-and-after is worth nothing.
#
# ## Trap 3: the mean of deaths
#
# Let the rules decide everything (`history=free`), and count the soldiers killed. Five researchers simulate 4,000
# runs each and write down the mean so far after every single one.

# %%
free = simulate("article", runs=20_000, overrides={"history": "free"})
deaths, counted = free["deaths"].values, free["attacks_campaign"].values
so_far = np.arange(1, 4001)

figure, axes = canvas(2, shared=True)
for panel, values, name in zip(axes, (deaths, counted), ("deaths", "attacks in the campaign"), strict=True):
    for part in values.reshape(5, 4000):
        panel.plot(so_far, np.cumsum(part) / so_far / values.mean())
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.set_ylim(0.4, 1.8)
    panel.set_title(f"mean of {name} so far")
    panel.set_xlabel("runs")
axes[0].set_ylabel("times the mean of all 20,000")
figure

# %% [markdown]
# The means of attacks settle soon. Those of deaths creep down, then jump: one terrible day, and the mean of a hundred
# runs is another. After 4,000 runs the researchers report anything from under three deaths to over four.
#
# The reason is the *tail*. The number of dead in one attack follows roughly a power law: ten times as many dead is
# rarer by a fixed factor, again and again, until no more soldiers are in reach. On logarithmic axes that is a
# straight line. For comparison, a law with the same mean and a thin tail.

# %%
one = free["lethal_attacks"].values == 1
killed = np.sort(deaths[one])
least = np.arange(1, 351)
power = (least**-1.4 - 351**-1.4) / (1 - 351**-1.4)

figure, [panel] = canvas(height=3.4)
panel.plot(least, [(killed >= k).mean() for k in least], "o", markersize=3, label="runs with one lethal attack")
panel.plot(least, power, color="black", label="power law of the model, exponent 2.4")
panel.plot(least, (1 - 1 / killed.mean()) ** (least - 1), "--", color="tab:gray", label="same mean, thin tail")
panel.loglog()
panel.xaxis.set_major_formatter("{x:g}")
panel.yaxis.set_major_formatter("{x:g}")
panel.set_ylim(2e-4, 1.3)
panel.set_xlabel("soldiers killed: so many or more")
panel.set_ylabel("share of runs")
panel.legend()
figure

# %% [markdown]
# With the thin tail thirty or more dead would come once in hundreds of thousands of runs. Here they come once in a
# hundred. Where does the curve bend? At the number of soldiers that one attack can reach. That number is unknown; the
# model *assumes* 350. Change it, and leave everything else and all random numbers as they were.

# %%
for reach in (50, 350, 2000):
    dead = simulate("article", runs=20_000, overrides={"history": "free", "casualties.exposure": reach})[
        "deaths"
    ].values
    print(
        f"reach {reach:>4}: mean {dead.mean():.2f}, median {np.median(dead):.0f}, worst {dead.max():>4}, "
        f"10 or more killed in {(dead >= 10).mean():.1%}"
    )

# %% [markdown]
# The mean follows the assumption about the worst case, about which the article says nothing: it reports one lethal
# attack, with three dead (F04). The median and the probability of ten or more hardly move. So say "in 50% of the runs
# at most two die, in 7% ten or more", and never "four die on average". That is why Lull gives no means of
# heavy-tailed outcomes.
#
# ## Exercises
#
# **1. Regression to the mean without any strikes.** Take world A (the array `attacks` above) and line up its days
# with five attacks or more, strikes or not; leave out the first 15 and the last 15 days as above. What is the mean of
# the five days after such a day, over the mean of the five days up to and with it?

# %% tags=["exercise"]
answer_1 = None  # your answer: a ratio

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
bad = attacks >= 5
bad[:, :15] = bad[:, -15:] = False
run, day = np.nonzero(bad)
lined_up = attacks[run[:, None], day[:, None] + around].mean(axis=0)
solution_1 = float(lined_up[15:20].mean() / lined_up[10:15].mean())
assert solution_1 < naive < 1.0
if answer_1 is not None:
    print("right: without any strike" if abs(answer_1 - solution_1) < 0.01 else "not yet: line up as with `struck`")

# %% [markdown]
# **2. What bombs were worth in world B.** How many attacks did the bombs of 2 February prevent in world B from 3
# February (day 109) to 27 February, on average over the 300 winters?

# %% tags=["exercise"]
answer_2 = None  # your answer: attacks

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
prevented = (B_desert.state_attacks - B.state_attacks).values[:, 109:].sum(axis=1)
solution_2 = float(prevented.mean())
assert (prevented >= 0).mean() > 0.95
if answer_2 is not None:
    print("right" if abs(answer_2 - solution_2) < 0.1 else "not yet: subtract day by day, add up, take the mean")

# %% [markdown]
# **3. An interval that promises too much.** Cut the 20,000 numbers of `deaths` into 400 samples of 50. Give each
# sample the textbook interval, mean ± 1.96 × standard deviation / √50. In what share of the samples does it hold the
# mean of all 20,000? (The textbook says 0.95.)

# %% tags=["exercise"]
answer_3 = None  # your answer: a share between 0 and 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
samples = deaths.reshape(400, 50)
reach = 1.96 * samples.std(axis=1, ddof=1) / np.sqrt(50)
solution_3 = float((np.abs(samples.mean(axis=1) - deaths.mean()) < reach).mean())
assert solution_3 < 0.9
if answer_3 is not None:
    print("right: too few" if abs(answer_3 - solution_3) < 0.01 else "not yet: `deaths.reshape(400, 50)` helps")
