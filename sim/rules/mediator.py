"""The mediators: politicians and clerics who press the militias of their own country."""

from sim.numbers.compiled import rule


@rule
def pressure(
    now: float, kept: float, per_strike: float, strikes: float, per_death: float, killed: float,
    of_talks: float, talks: float,
) -> float:  # fmt: skip
    """Pressure of the mediators after another day.

    M <- min(1, M keep_M + mu_S S_home + mu_K killed + mu_T talks)

    Units: a share; strikes at home in limited strikes, killed in soldiers, talks 0 or 1.
    Source: F26, F27; sizes and form assumed.

    >>> pressure(0.5, 0.5, 0.125, 1.0, 0.125, 1.0, 0.25, 1.0)
    0.75
    """
    pressed = now * kept + per_strike * strikes + per_death * killed + of_talks * talks
    return pressed if pressed < 1.0 else 1.0
