"""Points for a sweep: every cell of the plane of control and autonomy at the same draws of the posterior.

python experiments/leash/points.py DRAWS writes leash_points.csv. Last come the draws at their own control and autonomy.
"""

import sys
from itertools import product

import pandas as pd

from sim import load
from sim.analysis.comparison.paired_run import points_of

CONTROL, AUTONOMY = "patron.control", "multipliers.autonomy"
CONTROLS = (0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0)
FACTORS = (0.3, 0.6, 1.0, 1.3, 1.6)


def main(draws):
    drawn = pd.DataFrame(points_of("posterior", draws, 1, load().scenario.cast))
    cells = pd.DataFrame(list(product(CONTROLS, FACTORS)), columns=[CONTROL, AUTONOMY])
    plane = cells.merge(drawn.drop(columns=[CONTROL, AUTONOMY]), how="cross")
    pd.concat([plane, drawn[plane.columns]]).to_csv("leash_points.csv", index=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
