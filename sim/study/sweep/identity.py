"""What makes a sweep the same sweep: configuration, axes, seed and sources; and how two of them differ, readably."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sim.numbers.sources import hash_of
from sim.study.sweep.axes import Axes, spelled
from sim.study.sweep.design import Design, Sampled
from sim.study.sweep.groups import Group, flattened
from sim.study.sweep.settings import Settings
from sim.world.errors import UserError

DECIDING: Final = (
    *(f"{room}/**/*.py" for room in ("numbers", "rules", "world", "engine")),
    *(f"study/{name}.py" for name in ("outcomes", "prior", "sweep/axes", "sweep/design", "sweep/work")),
)
"""Sources that decide results; how they are kept and shown does not."""

SOURCE: Final = "source"
ABSENT: Final = "(absent)"


def deciding_hash() -> str:
    """Hash of the sources that decide results."""
    return hash_of(DECIDING)


def identity(axes: Axes, settings: Settings, design: Design, groups: tuple[Group, ...]) -> dict[str, Any]:
    """Everything that results depend on beside the number of points and runs, by readable keys."""
    first = settled(groups[0], design)
    same = {
        SOURCE: deciding_hash(),
        "scenario": groups[0].config.scenario.name,
        **first,
        **dict.fromkeys(design.keys, "(in study.table)"),
        **{axis.key: axis.text for axis in (design.axes if isinstance(design, Sampled) else ())},
        **{choice.key: ",".join(choice.values) for choice in axes.choices},
        "study.design": design.kind,
        "study.draws": settings.draws,
    }
    for number, group in enumerate(groups[1:], 1):
        mine = settled(group, design)
        said = " ".join([*([group.policy] if group.policy else []), *group.labels.values()]) or str(number)
        same |= {
            f"{key} ({said})": mine.get(key, ABSENT)
            for key in {**first, **mine}
            if mine.get(key, ABSENT) != first.get(key, ABSENT)
        }
    plain: dict[str, Any] = json.loads(json.dumps(same, default=str))
    return plain


def settled(group: Group, design: Design) -> dict[str, Any]:
    """The configuration of a group as flat keys, without what varies within it and what results do not depend on."""
    tree = {key: value for key, value in group.config.tree.items() if key not in ("study", "engine", "output")}
    return {
        key: value
        for key, value in flattened(tree).items()
        if (key not in design.keys or key in group.kept) and not key.startswith(("patterns", "calibration"))
    }


def short_hash(same: Mapping[str, Any]) -> str:
    """A short name of an identity, whatever the sources: 8 hexadecimal digits."""
    told = json.dumps({key: value for key, value in same.items() if key != SOURCE}, sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=4).hexdigest()


def check_same(then: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Refuse to go on with another sweep under the same name, and say what is different.

    Raises:
        UserError: something differs.
    """
    keys = [key for key in {**then, **now} if then.get(key, ABSENT) != now.get(key, ABSENT)]
    if not keys:
        return
    first = keys[0]
    more = f"; {len(keys) - 1} more differ: {', '.join(keys[1:6])}" if len(keys) > 1 else ""
    what = "the sources of this sweep" if first == SOURCE else "as in this sweep"
    allowed = f"{_told(then.get(first, ABSENT))}, {what} in {folder}{more}; or another output.dir"
    raise UserError(first, now.get(first, ABSENT), allowed)


def _told(value: Any) -> str:
    return value if isinstance(value, str) else spelled(value)
