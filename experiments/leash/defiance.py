# experiments/leash/defiance.py
from sim import Extension, Tallied


def defied(now: float, wing_attacks: float, theatre_directive: float) -> float:
    """Attacks so far in theatres where the order of the day is to hold back; applied to each wing in turn."""
    return now + wing_attacks if theatre_directive < 1.0 else now


defiance = Extension(
    "defiance", outcomes=(Tallied("defiance", "attacks", "attacks made where the order is to hold back", defied),)
)
