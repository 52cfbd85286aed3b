"""From the decisions of a day to sentences: what is told, in which words, and on which reasons it rests."""

from collections.abc import Iterator, Sequence

from sim.engine.trace import Decision
from sim.study.chronicle import Sentence
from sim.study.narration.militias import attacks, compliance, fates, strikes
from sim.study.narration.scene import Book, Scene
from sim.study.narration.states import alarm, gates, ladder, mediation, orders, responses

PARTS = (gates, alarm, orders, mediation, compliance, attacks, fates, responses, strikes, ladder)
"""The parts of a day's story, in the order of the day."""


class Narrator:
    """Tells one history day by day; it remembers yesterday, because some things are told only when they change."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._yesterday = Book(())

    def tell(self, decisions: Sequence[Decision]) -> Iterator[Sentence]:
        """The sentences of one day."""
        book = Book(decisions)
        for part in PARTS:
            yield from part(self._scene, book, self._yesterday)
        self._yesterday = book


__all__ = ["Narrator", "Scene"]
