"""The listings of docs/extending.md, and small extensions that tests are made with."""

import inspect
import re
from pathlib import Path

from sim.engine.extension.plan import STOCKS, numbers_known
from sim.engine.extension.replaced import REPLACEABLE, original

ROOT = Path(__file__).resolve().parents[2]
LISTINGS = {
    found[2]: found[1]
    for found in re.finditer(
        r"^```python\n(# (\S+\.py)\n.*?)^```$", (ROOT / "docs/extending.md").read_text(encoding="utf-8"), re.M | re.S
    )
}
ALL = "extensions=[calm.py,hesitant.py,weariness.py,spoilers.py]"
ACTORS = ("spoiler.hardliners.reach=4", "spoiler.smugglers={}")

MECHANISM = """
from sim import ActorType, Change, Declaration, Derived, Extension, Mechanism, State, Tallied
from sim.world.parameters import uniform


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
    "patron.next_phase": "patron.next_phase(phase, days, war_risk, threshold, 1.5, minimum, release, draw / 2)",
    "patron.answers": "acts > 0.0 and draw < 0.5 + 0.5 * chance",
    "casualties.fate": "casualties.fate(draw, through, 0.9 * lethal, 0.9 * seen)",
    "casualties.pinned_fate": "casualties.pinned_fate(fate, pinned, True)",
    "casualties.killed": "casualties.killed(draw, span, power_of_tail, exposure) + 1.0",
    "casualties.toll": "casualties.toll(killed, pinned, documented) + 1.0",
    "target.limited_falls": "not held and (forced or draw < 0.9 * likely)",
    "target.major_falls": "forced or (pending > 0.0 and pending <= 2.0 and not held)",
    "target.leader_choice": "target.leader_choice(draw, 1.5 * opportunity, quiet, 1.1 * patience, busy)",
    "target.attributed": "recent > 0.0 and draw < 0.9 * attribution",
    "target.strikes_patron": "responded and rung >= 0.9 * threshold",
    "ladder.breaks_out": "draw < 1.5 * likely",
}
"""Rules that do not give a quantity, put otherwise; of all others a hundredth more, and a thousandth."""


def everything_moved() -> str:
    """The text of a file that replaces every rule that may be replaced and changes all that may be changed."""
    lines = [
        "from sim import Change, Extension, Mechanism",
        f"from sim.rules import {', '.join(sorted({key.partition('.')[0] for key in REPLACEABLE}))}",
        "\n\ndef moved(now: float, day: float) -> float:\n    return now * (1.0 + 0.0001 * day)\n",
    ]
    for key in REPLACEABLE:
        names = ", ".join(inspect.signature(original(key)).parameters)
        body = OTHERWISE.get(key, f"1.01 * {key}({names}) + 0.001")
        lines.append(f"\ndef {key.replace('.', '_')}({names}):\n    return {body}\n")
    rules = ", ".join(f'"{key}": {key.replace(".", "_")}' for key in REPLACEABLE)
    stocks = (
        f"{'' if scope == 'run' else f'{scope}_'}{name}" for scope, names in STOCKS.items() for name in names
    )  # fmt: skip
    changes = ", ".join(f'Change("{what}", moved)' for what in (*numbers_known(), *stocks))
    lines.append(f'mine = Extension("mine", (Mechanism("drift", "moves all", ({changes},)),), rules={{{rules}}})\n')
    return "\n".join(lines)
