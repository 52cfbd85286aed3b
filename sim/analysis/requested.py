"""What a comparison or an attribution asks for, checked by names: outcome, mechanisms, parameter sets, their number.

Nothing here imports the engine, so a mistake is reported at once.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sim.experiment.dataset import OUTCOMES_BY_NAME
from sim.model.aliases import current_mechanism
from sim.model.declared_outcomes import Outcome
from sim.model.hydra_config import STUDY_KEYS
from sim.model.parameters import MECHANISM_NAMES
from sim.model.scenario import DEFAULTS, POSTERIOR, Config, Scenario
from sim.model.validation import Section, UserError, one_of

PRIOR: Final = "prior"
SOURCES: Final = (POSTERIOR, PRIOR, DEFAULTS)
USUAL: Final = POSTERIOR
"""Where parameters come from when nothing is said and some arm departs before the report."""
MOST_DRAWS: Final = 100_000


def known_outcome(name: str, known: Mapping[str, Outcome] = OUTCOMES_BY_NAME, key: str = "outcome") -> Outcome:
    """One of the outcomes known by its name; `key` is what asks for it."""
    if name not in known:
        raise UserError(key, name, one_of(known, name))
    return known[name]


def players_of(scenario: Scenario, asked: Sequence[str] | None, key: str = "mechanisms") -> tuple[str, ...]:
    """The mechanisms that play: those asked for, else all that the scenario has at work, those of extensions last.

    `key` is what asks for them.
    """
    extended = scenario.extended
    known = (*MECHANISM_NAMES, *(one.name for one in extended.mechanisms))
    working = (*(name for name in MECHANISM_NAMES if getattr(scenario.mechanisms, name)), *extended.at_work)
    if asked is None:
        return working
    asked = tuple(map(current_mechanism, asked))
    for name in asked:
        if name not in known:
            raise UserError(key, name, one_of(known, name))
        if name not in working:
            raise UserError(key, name, f"mechanisms that {scenario.name} has at work")
        if list(asked).count(name) > 1:
            raise UserError(key, name, "each mechanism once")
    return asked


def source_of(given: str | None, allowed: tuple[str, ...] = SOURCES) -> str:
    """Where parameters come from, as given; None takes what is usual."""
    if given is not None and given not in allowed:
        raise UserError("parameters", given, one_of(allowed, given))
    return given or USUAL


def draws_of(config: Config, source: str, usual: int) -> int:
    """How many draws of the parameters are asked for; else the usual number, or one of declared values."""
    section = Section("study", config.tree["study"], STUDY_KEYS)
    if section.raw("draws", "") is not None:
        return section.whole("draws", 1, MOST_DRAWS)
    return 1 if source == DEFAULTS else usual
