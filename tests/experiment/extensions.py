"""The listings of docs/extending.md, and small extensions that tests are made with."""

import inspect
import re
from pathlib import Path

from sim.engine.extension.plan import CHANGEABLE_STATES, changeable_numbers
from sim.engine.extension.replacement import REPLACEABLE, original

ROOT = Path(__file__).resolve().parents[2]
LISTINGS = {
    found[2]: found[1]
    for found in re.finditer(
        r"^```python\n(# (\S+\.py)\n.*?)^```$", (ROOT / "docs/extending.md").read_text(encoding="utf-8"), re.M | re.S
    )
}
ALL = "extensions=[calm.py,hesitant.py,stubborn.py,weariness.py,spoilers.py,cells.py]"
ACTORS = ("spoiler.hardliners.reach=4", "spoiler.smugglers={}", "cell.eastern={}", "cell.western.zeal=0.3")

MECHANISM = """
from sim import ActorType, Change, Declaration, Derived, Extension, Mechanism, State, Tallied
from sim.model.parameters import uniform


def number(default=0.5, low=0.0, high=1.0):
    return Declaration(default, low, high, "1", uniform(0.0, 1.0), "assumed", "invented", "a number", "z")


def change(now: float, force: float) -> float:
    return {expression}


mine = Extension(
    "mine",
    mechanisms=(
        Mechanism(
            "{name}",
            "does something",
            parameters={parameters},
            states=(State("count", "1", "a count"),),
            changes=(Change("{what}", change, at="{at}"),),
        ),
    ),
)
"""


PACE = """
from sim import Extension, Series


def smoothed(now: float, attacks: float) -> float:
    return now + 0.5 * (attacks - now)


pace = Extension("pace", series=(Series("pace", "attacks/day", "smoothed attacks", smoothed),))
"""


def mechanism(
    expression: str = "now + force", what: str = "count", at: str = "evening", name: str = "drift",
    parameters: str = '{"force": number()}',
) -> str:  # fmt: skip
    """The text of a file with one mechanism."""
    return MECHANISM.format(expression=expression, what=what, at=at, name=name, parameters=parameters)


def written(folder: Path, **texts: str) -> None:
    """Write the listings, and texts by name, into a folder."""
    for name, text in {**LISTINGS, **{f"{name}.py": text for name, text in texts.items()}}.items():
        (folder / name).write_text(text, encoding="utf-8")


OTHERWISE = {
    "patron.next_phase": "patron.next_phase(phase, days, war_risk, threshold, 1.5, released)",
    "patron.documented_phase": "patron.documented_phase(before, turned, able, order)",
    "militia.order_stands": "heeded and restraint < 1.0 and directive <= 1.1 * restraint",
    "patron.answers": "acts > 0.0 and draw < 0.5 + 0.5 * probability",
    "casualties.fate": "casualties.fate(draw, through, 0.9 * lethal, 0.9 * seen)",
    "casualties.pinned_fate": "casualties.pinned_fate(fate, pinned, True)",
    "casualties.number_killed": "casualties.number_killed(draw, span, power_of_tail, exposure) + 1.0",
    "casualties.toll": "casualties.toll(killed, pinned, documented) + 1.0",
    "target.limited_response_occurs": "not held and (forced or draw < 0.9 * probability)",
    "target.major_response_occurs": "forced or (pending > 0.0 and pending <= 2.0 and not held)",
    "target.leader_choice": "target.leader_choice(draw, 1.5 * opportunity, quiet, 1.1 * patience, busy)",
    "target.attribution_succeeds": "recent > 0.0 and draw < 0.9 * attribution",
    "target.strikes_patron": "responded and rung >= 0.9 * threshold",
}
"""Rules that do not give a quantity, put otherwise; of all others a hundredth more, and a thousandth."""


def everything_moved() -> str:
    """The text of a file that replaces every rule that may be replaced and changes all that may be changed."""
    lines = [
        "from sim import Change, Extension, Mechanism",
        f"from sim.rules import {', '.join(sorted({key.partition('.')[0] for key in REPLACEABLE}))}",
        "\n\ndef moved(now: float, day: float) -> float:\n"
        "    return now * (1.0 + 0.0001 * day) + (1.0 if day % 9.0 == 4.0 else 0.0)\n",
    ]
    for key in REPLACEABLE:
        names = ", ".join(inspect.signature(original(key)).parameters)
        body = OTHERWISE.get(key, f"1.01 * {key}({names}) + 0.001")
        lines.append(f"\ndef {key.replace('.', '_')}({names}):\n    return {body}\n")
    rules = ", ".join(f'"{key}": {key.replace(".", "_")}' for key in REPLACEABLE)
    moments = {**dict.fromkeys(changeable_numbers(), "morning"), **CHANGEABLE_STATES}
    changes = ", ".join(f'Change("{what}", moved, at="{moment}")' for what, moment in moments.items())
    lines.append(f'mine = Extension("mine", (Mechanism("drift", "moves all", ({changes},)),), rules={{{rules}}})\n')
    return "\n".join(lines)
