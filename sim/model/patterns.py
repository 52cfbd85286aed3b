"""What is expected of a case: the patterns as configuration, judged elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.model.cast import Cast
from sim.model.validation import Section, UserError

PATTERN_KINDS = ("fitted", "emergent", "built-in", "prior-driven")
JUDGED_UNDER = ("article", "free", "paired", "prior", "closed form")
_LARGEST = 1e9
_KEYS = ("id", "text", "kind", "judged", "measure", "figure", "limits", "theatres", "wings", "others", "scenario")


@dataclass(frozen=True)
class Pattern:
    """One pattern: `measure` names how it is measured, `limits` the named numbers within which it holds.

    `figure` is the source's own figure in words. `theatres`, `wings` and `others` (wings compared with `wings`) say
    where it is looked for; `scenario` names the departure of a paired comparison. Empty where it does not matter.
    """

    id: str
    text: str
    kind: str
    judged: str
    measure: str
    figure: str
    limits: dict[str, float]
    theatres: tuple[str, ...] = ()
    wings: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    scenario: tuple[str, ...] = ()


def patterns_of(tree: Mapping[str, Any], cast: Cast) -> tuple[Pattern, ...]:
    """The patterns expected of a case, possibly none."""
    listed = tree.get("patterns")
    if not isinstance(listed, list):
        raise UserError("patterns", listed, "a list of patterns, possibly empty")
    patterns = tuple(_pattern(Section(f"patterns[{place}]", given, _KEYS), cast) for place, given in enumerate(listed))
    for place, pattern in enumerate(patterns):
        if pattern.id in {other.id for other in patterns[:place]}:
            raise UserError(f"patterns[{place}].id", pattern.id, "each id once")
    return patterns


def _pattern(section: Section, cast: Cast) -> Pattern:
    limits = Section(section.full("limits"), section.raw("limits", "named numbers"), section.children("limits"))
    return Pattern(
        id=section.text("id"),
        text=section.text("text"),
        kind=section.choice("kind", PATTERN_KINDS),
        judged=section.choice("judged", JUDGED_UNDER),
        measure=section.text("measure"),
        figure=section.text("figure"),
        limits={name: limits.number(name, -_LARGEST, _LARGEST) for name in section.children("limits")},
        theatres=section.choices("theatres", cast.theatres) if section.has("theatres") else (),
        wings=section.choices("wings", cast.wings) if section.has("wings") else (),
        others=section.choices("others", cast.wings) if section.has("others") else (),
        scenario=section.texts("scenario") if section.has("scenario") else (),
    )
