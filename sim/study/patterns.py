"""The article's patterns, judged: what it reports, what the model gives, and whether that lies within the tolerance."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One pattern judged. `holds` is None where the scenario is not the one that the patterns speak of."""

    id: str
    text: str
    kind: str
    judged: str
    article: str
    model: str
    tolerance: str
    holds: bool | None
