"""The settings of a page as an address: readable, with nothing in it that is as usual."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from sim.study.live.settings import Ground, Settings, seed_of
from sim.world.errors import UserError

SEED: Final = "seed"
OTHER: Final = "b."
"""What keys of the second scenario begin with."""
BESIDE: Final = "b.scenario"


@dataclass(frozen=True)
class Asked:
    """What a page is asked to show: settings A, perhaps settings B beside them, and the luck of both."""

    a: Settings
    b: Settings | None
    seed: int

    def texts(self, ground: Ground) -> dict[str, str]:
        """The settings as short texts by key, without what is usual on this ground."""
        found = self.a.texts(ground.scenario)
        if self.b is not None:
            found |= {OTHER + key: text for key, text in self.b.texts("").items()}
        return found | ({} if self.seed == ground.seed else {SEED: str(self.seed)})

    def query(self, ground: Ground) -> str:
        """The same as the part of an address behind the question mark."""
        return urlencode(self.texts(ground))


def asked_of(ground: Ground, texts: Mapping[str, str]) -> Asked:
    """What texts by key ask for; `b.` in front of a key makes it one of the second scenario.

    Raises:
        UserError: an unknown key, or a value that is not allowed.
    """
    first = {key: text for key, text in texts.items() if key != SEED and not key.startswith(OTHER)}
    second = {key.removeprefix(OTHER): text for key, text in texts.items() if key.startswith(OTHER)}
    seed = seed_of(texts[SEED]) if SEED in texts else ground.seed
    return Asked(ground.settings(first), _second(ground, second) if second else None, seed)


def _second(ground: Ground, texts: Mapping[str, str]) -> Settings:
    try:
        return ground.settings(texts)
    except UserError as mistake:
        raise UserError(OTHER + mistake.key, mistake.value, mistake.allowed) from None


def usual(ground: Ground) -> Asked:
    """What is shown before anything is set."""
    return Asked(Settings(ground.scenario), None, ground.seed)


def alone(asked: Asked) -> Asked:
    """The same without the second scenario."""
    return replace(asked, b=None)
