"""What stands in every report, whatever was found: its terms, and what the model cannot say."""

from typing import Final

GLOSSARY: Final = {
    "Acknowledged attack": "an attack that the target's side reports; some stay unreported.",
    "Alone, but for it": "what a mechanism adds where no other is at work; what is lost where only it is missing.",
    "Baseline": "the scenario that every other one is set against: the first in the list.",
    "Bayes factor": "how much more probable one reading makes the known figures than another.",
    "Contraction": "the share of its prior variance that a parameter loses once the figures are known.",
    "Draw": "one set of values for all uncertain parameters, taken from the prior or the posterior.",
    "Fair share": "Shapley value: what a mechanism adds when it comes, averaged over all orders in which all may come.",
    "History": "one simulated course of events from the first day to the last, or to direct war.",
    "Identified": "said of a parameter that the figures pin down; of one that is not, only an interval can be told.",
    "Lull": "the quiet that follows the day of the major strikes.",
    "Monte Carlo error": "how far a number would move by chance if as many other histories were simulated.",
    "Nine in ten draws": "the interval that leaves out one draw in twenty at either end.",
    "Odds": "the probability of a reading divided by that of all others.",
    "Pair": "two histories with the same luck and the same draw, one in each scenario: only the choice differs.",
    "Pinned": "before that day the documented events are given; from it on the rules decide.",
    "Points": "percentage points, the unit of a difference between two chances.",
    "Posterior": "what is thought of a parameter after the figures are known.",
    "Prior": "what is thought of a parameter before any figure is known.",
    "Prior-driven": "decided by assumed numbers that no known figure corrects; marked with an asterisk.",
    "Rank correlation": "from −1 to +1: how closely the order of draws by one quantity follows that by another.",
    "Regret": "how much worse a scenario turns out than the best of the same draw, war counting as worst or as stated.",
    "Same luck": "run 17 of one scenario meets the same random numbers as run 17 of any other.",
    "Seed": "the number that all chance comes from; the same seed gives the same report.",
    "Until war": "counted to the end of the calendar, or to direct war where that comes first.",
    "Without war": "said of pairs in which direct war comes in neither scenario, so that both run to the end.",
}
"""Terms in the order of the alphabet."""

LIMITS: Final = (
    "What happens next. It is a model to think with, not a forecast; its actors are roles with a few numbers each.",
    "What caused events in the world. Shares and differences are those of the model under its own rules.",
    "Whether the order or the strikes brought the lull. Both fell in one week; one campaign and one lull cannot tell"
    " them apart, and the rival readings above say how far the priors lean.",
    "The true value of most parameters. There are far more of them than figures; very different values fit as well.",
    "When the lull ends and whether war comes. Assumptions decide both; such rows carry an asterisk.",
    "Anything beyond its calendar, its theatres and its groups: no politics inside states, no civilians, no towns.",
    "What direct war would be like. War ends a history, so attacks and days are compared where neither scenario has it,"
    " and wherever scenarios are ranked a history with war counts as worst, or as the reader has stated.",
)
"""What the model cannot say."""
