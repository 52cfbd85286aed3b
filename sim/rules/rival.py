"""The rival: its war is what the proxies say they fight over."""

from sim.numbers.compiled import rule


@rule
def war_gate(dependence: float, intensity: float) -> float:
    """How far the rival's war opens the gate for attacks.

    g = 1 - gamma_k (1 - G)

    Units: shares; dependence gamma_k 0 removes the gate, intensity G is 1 in the war's first autumn.
    Source: F08, F24: the campaign is part of the fight over the rival's war; the linear form is assumed.

    >>> war_gate(0.5, 0.0)
    0.5
    """
    return 1.0 - dependence * (1.0 - intensity)
