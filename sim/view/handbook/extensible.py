"""Tables of what an extension may replace and change."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from sim.engine.extension.plan import STOCKS, numbers_known
from sim.engine.extension.replaced import REPLACEABLE
from sim.view.handbook.markdown import Row, code, table


def replaceable_table() -> str:
    """Rules that another function may take the place of, by role."""
    return table(("Role", "Rules"), _by_first(REPLACEABLE))


def changeable_table() -> str:
    """Numbers and states of the model that a change may change, as a user writes them."""
    prefixes = {"run": "", "theatre": "theatre_", "wing": "wing_"}
    states = (("state", code(f"{prefixes[scope]}{name}")) for scope, names in STOCKS.items() for name in names)
    told = {name: ", ".join(one for _, one in found) for name, found in groupby(states, key=lambda pair: pair[0])}
    return table(("What", "Names"), [*told.items(), *_by_first(numbers_known())])


def _by_first(keys: Iterable[str]) -> Iterator[Row]:
    """Full keys by what stands before the dot."""
    for first, found in groupby(keys, key=lambda key: key.partition(".")[0]):
        yield first, ", ".join(code(one) for one in found)
