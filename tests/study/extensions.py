"""The listings of docs/extending.md, and small extensions that tests are made with."""

import re
from pathlib import Path

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
