"""The batched engine: many histories together, one to a lane, in vectors; the same bits as the reference model's.

The lanes of a block are simulated day by day together. Every number is an array whose last index is the lane,
parameters too, so a block may mix design points. What every lane does every day is a loop over lanes without branches,
which the compiler turns into vectors; what few lanes do (casualties, strikes) is left to a plain path for those lanes.
"""

from sim.engine.batched.kernel import run_arms, run_histories

__all__ = ["run_arms", "run_histories"]
