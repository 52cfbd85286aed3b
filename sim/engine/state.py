"""The state of a history at the end of a day: one record per run, per theatre and per wing.

The same records are a day's memory inside the engines and a row of the state table that they hand out, so that
"the engines agree" means that these tables agree bit for bit.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


def record_type(fields: Sequence[tuple[str, str]]) -> np.dtype[np.void]:
    """A type of records whose fields are attributes in plain Python too, so that kernels run uncompiled."""
    return np.dtype((np.record, list(fields)))


RUN_STATE = record_type(
    [
        ("war_risk", "f8"),
        ("phase", "i8"),
        ("phase_days", "f8"),
        ("gains", "f8"),
        ("ordered_attacks", "f8"),
        ("answered", "i8"),
        ("pressure", "f8"),
        ("provocation", "f8"),
        ("pending", "f8"),
        ("quiet_days", "f8"),
        ("attacks", "f8"),
        ("acknowledged", "f8"),
        ("injured", "f8"),
        ("killed", "f8"),
        ("lethal", "f8"),
        ("limited", "i8"),
        ("leader", "i8"),
        ("major", "i8"),
        ("struck_wing", "i8"),
        ("strikes", "f8"),
        ("strikes_home", "f8"),
        ("acts", "f8"),
        ("rung", "f8"),
        ("recent_rung", "f8"),
        ("war", "i8"),
    ]
)
"""Of the whole run. Units: attacks, soldiers, days, limited strikes; `leader` 1 struck 2 declined; flags 0 or 1;
`struck_wing` the wing that a limited or leader strike hit, -1 for none; `acts` those of the target on the patron."""

THEATRE_STATE = record_type([("directive", "f8"), ("order", "f8")])
"""`directive` is what wings know today (issued until yesterday), `order` what the patron asks as of tonight."""

WING_STATE = record_type(
    [
        ("compliance", "f8"),
        ("fear", "f8"),
        ("grievance", "f8"),
        ("capacity", "f8"),
        ("rate", "f8"),
        ("attacks", "f8"),
        ("acknowledged", "f8"),
        ("recent", "f8"),
        ("struck", "f8"),
        ("nearby", "f8"),
        ("jump", "f8"),
    ]
)
"""Of one wing. `struck`, `nearby` and `jump` fell today and are felt tomorrow; rate in attacks/day."""


class Situation(NamedTuple):
    """The state that a day changes: of the run (one record), its theatres (K,) and its wings (W,).

    `collectives` (C,) is scratch: strikes of the day on each collective. `mine` (R,) is what extensions keep.
    """

    run: Any
    fronts: npt.NDArray[Any]
    wings: npt.NDArray[Any]
    collectives: npt.NDArray[np.float64]
    mine: npt.NDArray[np.float64]
