"""Where live ensembles are made for several visitors at once: shared out over threads, remembered for a while."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from traceback import clear_frames
from typing import Final

from sim.study.live.link import Asked, usual
from sim.study.live.lived import Lived, live
from sim.study.live.pair import Row, alike, paired
from sim.study.live.settings import Ground, Settings
from sim.study.patterns import Verdict
from sim.world.scenario import Config

REMEMBERED: Final = 16
"""Ensembles that are kept: a megabyte each, so that a pair of which one side moves lives one."""


@dataclass(frozen=True)
class Shown:
    """What there is to see: ensemble A with the verdicts that are there, and B with what it changes.

    `pinned` says in words what is pinned in a pair; empty where there is none.
    """

    asked: Asked
    a: Lived
    verdicts: tuple[Verdict, ...]
    b: Lived | None = None
    rows: tuple[Row, ...] = ()
    pinned: str = ""


class Desk:
    """The ground that everybody's settings stand on, and the workers who live histories on it.

    `quick` does what somebody waits for, `patient` what may be overtaken.
    """

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.quick = ThreadPoolExecutor(2, "quick")
        self.patient = ThreadPoolExecutor(1, "patient")
        self._lived = lru_cache(REMEMBERED)(self._live)

    def show(self, asked: Asked) -> Shown:
        """Live what is asked for; numbers of single patterns that take longer are left out.

        Raises:
            UserError: A and B cannot be set against each other.
        """
        first = self.ground.config(asked.a, asked.seed)
        if asked.b is None:
            a = self._lived(asked.a, asked.seed, first.scenario.free_from)
            return Shown(asked, a, a.verdicts_at_once())
        one, other, pinned = alike(first, self.ground.config(asked.b, asked.seed))
        a, b = (
            self._lived(settings, asked.seed, config.scenario.free_from)
            for settings, config in ((asked.a, one), (asked.b, other))
        )
        return Shown(asked, a, a.verdicts_at_once(), b, paired(a, b), pinned)

    def judge(self, shown: Shown, overtaken: Callable[[], bool]) -> Iterator[Verdict]:
        """The verdicts that take longer, one after another, until something newer is asked for."""

        def look(_: int) -> None:
            if overtaken():
                raise OvertakenError

        try:
            yield from shown.a.verdicts_later(look)
        except OvertakenError as stopped:
            # It holds what was being lived, which holds it: megabytes that would wait for the collector.
            clear_frames(stopped.__traceback__)

    def warm(self) -> None:
        """Make what is shown first, so that compiled code and libraries are there when somebody comes."""
        shown = self.show(usual(self.ground))
        paired(shown.a, shown.a)

    def close(self) -> None:
        """Send the workers home."""
        self.quick.shutdown(wait=False, cancel_futures=True)
        self.patient.shutdown(wait=False, cancel_futures=True)

    def _live(self, settings: Settings, seed: int, free_from: int | None) -> Lived:
        return live(_freed(self.ground.config(settings, seed), free_from))


class OvertakenError(Exception):
    """Something newer is asked for."""


def _freed(config: Config, day: int | None) -> Config:
    return replace(config, scenario=replace(config.scenario, free_from=day))
