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
# **What you will learn**
#
# - how a news report becomes a list of facts, and each fact a part of a model
# - who acts in the model, and in which order a day happens
# - how to tell whether a model agrees with its source, and what that does not prove

# %%
from sim import draw, facts, parameters, patterns, scenarios, simulate

data = simulate("article", runs=1000, seed=1)
draw(data)

# %% [markdown]
# ## Exercises

# %% [markdown]
# **1.** In what share of the histories did the militias make 170 or more acknowledged attacks before the strikes?

# %% tags=["exercise"]
answer_1 = None  # your answer: a share between 0 and 1

# %% jupyter={"source_hidden": true} tags=["solution", "hide-cell"]
solution_1 = float((data["acknowledged_campaign"] >= 170).mean())
assert 0.2 < solution_1 < 0.6
if answer_1 is not None:
    print("right" if abs(answer_1 - solution_1) < 0.01 else "not yet: compare the column with 170, then take the mean")
