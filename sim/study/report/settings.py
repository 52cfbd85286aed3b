"""The keys of a report, `report.*`, which belong to the verb and not to the configuration."""

from dataclasses import dataclass
from typing import Final

from sim.study.outcomes import OUTCOMES_BY_NAME
from sim.study.request import Request, whole
from sim.world.errors import UserError, one_of

PREFIX: Final = "report."
KEYS: Final = ("outcome", "question", "mechanisms", "share_draws", "share_runs", "pdf")
OUTCOME: Final = "lull_days"
SHARE_DRAWS: Final = 32
SHARE_RUNS: Final = 16
"""With twelve mechanisms two million histories."""
MOST: Final = 10**8
LONGEST: Final = 300
"""Signs of a question: it is a heading."""


@dataclass(frozen=True)
class Settings:
    """What a report is asked for beside its scenarios.

    `share_draws` and `share_runs` are draws of the parameters, and histories of each, in every combination of
    mechanisms.
    """

    outcome: str = OUTCOME
    question: str | None = None
    mechanisms: str | None = None
    share_draws: int = SHARE_DRAWS
    share_runs: int = SHARE_RUNS
    pdf: bool = False


def settings_of(request: Request) -> tuple[Settings, Request]:
    """The settings in a request, and the request without them.

    Raises:
        UserError: an unknown key, or a value that is not allowed.
    """
    given: dict[str, str] = {}
    for name in KEYS:
        text, request = request.taking(PREFIX + name)
        if text is not None:
            given[name] = text
    for one in request.overrides:
        key, _, value = one.partition("=")
        if key.lstrip("+").startswith(PREFIX):
            raise UserError(key, value, one_of(KEYS, key.lstrip("+").removeprefix(PREFIX), PREFIX))
    return (
        Settings(
            outcome=_outcome(given.get("outcome", OUTCOME)),
            question=_question(given.get("question")),
            mechanisms=given.get("mechanisms"),
            share_draws=_number(given, "share_draws", SHARE_DRAWS),
            share_runs=_number(given, "share_runs", SHARE_RUNS),
            pdf=_flag(given.get("pdf", "false")),
        ),
        request,
    )


def _outcome(name: str) -> str:
    if name not in OUTCOMES_BY_NAME:
        raise UserError(f"{PREFIX}outcome", name, one_of(OUTCOMES_BY_NAME, name))
    return name


def _question(text: str | None) -> str | None:
    if text is None:
        return None
    words = " ".join(text.split())
    if not words or len(words) > LONGEST or not words.isprintable():
        raise UserError(f"{PREFIX}question", text, f"a question of 1 to {LONGEST} signs")
    return words


def _number(given: dict[str, str], name: str, usual: int) -> int:
    return whole(PREFIX + name, given[name], 1, MOST) if name in given else usual


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise UserError(f"{PREFIX}pdf", text, "true or false")
    return text == "true"
