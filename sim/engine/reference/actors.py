"""What all agents share: a name, the rules, draws at an address of their own."""

import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import mesa
import numpy.typing as npt

if TYPE_CHECKING:
    from sim.engine.reference.model import ReferenceModel


class _Counters(WeakKeyDictionary[Any, Iterator[int]]):
    """A counter of agents for every model that is alive."""

    def __getitem__(self, model: Any) -> Iterator[int]:
        return self.setdefault(model, itertools.count(1))


class Actor(mesa.Agent):  # type: ignore[misc]
    """Somebody who decides.

    `name` is a role or the id of a wing, `number` stands for it in the addresses of chance.
    """

    # Mesa's own table of counters would keep every model alive for as long as the process.
    _ids = _Counters()

    model: "ReferenceModel"

    def __init__(self, model: "ReferenceModel", name: str, number: int = 0) -> None:
        super().__init__(model)
        self.name = name
        self.number = number
        self.rules = model.rules_of(name)

    def drawn(self, decision: int) -> float:
        """This actor's draw for one decision of today."""
        model = self.model
        return model.chance(model.seed_low, model.seed_high, model.run, model.day, self.number, decision)


def plain(records: npt.NDArray[Any]) -> list[SimpleNamespace]:
    """Records of the table as plain Python numbers: numpy's own would make rules slow, and not plain Python."""
    names = records.dtype.names or ()
    return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in records.tolist()]


def total(values: Iterator[float]) -> float:
    """The sum in the order given: Python's `sum` compensates rounding from 3.12 on, which changes the last bit."""
    added = 0.0
    for value in values:
        added += value
    return added
