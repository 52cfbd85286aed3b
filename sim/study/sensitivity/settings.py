"""The keys of a sensitivity analysis, `sensitivity.*`, which belong to the verb and not to the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hydra.core.override_parser.types import QuotedString

from sim.rules.outcomes import Outcome
from sim.study.outcomes import outcomes_of
from sim.study.request import Request
from sim.study.sensitivity.targets import Target, target_of
from sim.study.sweep.store import read_store
from sim.world.errors import UserError, one_of
from sim.world.extension import Extended
from sim.world.extension.reader import asked_for
from sim.world.overrides import parsed_override, value_text

PREFIX: Final = "sensitivity."
KEYS: Final = ("method", "samples", "outcomes", "parameters", "sweep")
METHODS: Final = ("sobol", "morris", "pawn", "delta")
GIVEN: Final = ("pawn", "delta")
"""Methods that need no design of their own: any points will do."""

DEFAULT_SAMPLES: Final = {"sobol": 512, "morris": 64, "pawn": 4096, "delta": 4096}
LEAST_SAMPLES: Final = {"sobol": 32, "morris": 8, "pawn": 128, "delta": 128}
MOST_SAMPLES: Final = 2**20
DEFAULT_RUNS: Final = 64
LEAST_RUNS: Final = 8
DEFAULT_OUTCOMES: Final = ("acknowledged_lull:mean", "lull_days:median", "war:share", "deaths:atleast10")


@dataclass(frozen=True)
class Settings:
    """What is asked: by which method, of what, over how many samples; `parameters` are patterns of keys or None."""

    method: str
    samples: int
    targets: tuple[Target, ...]
    parameters: tuple[str, ...] | None
    sweep: Path | None


def settings_of(request: Request) -> tuple[Settings, Request]:
    """The settings in a request, and the request without them.

    Raises:
        UserError: an unknown key, or a value that is not allowed.
    """
    given: dict[str, Any] = {}
    rest: list[str] = []
    for text in request.overrides:
        if not text.startswith(PREFIX):
            rest.append(text)
            continue
        one = parsed_override(text)
        name = one.key_or_group.removeprefix(PREFIX)
        if name not in KEYS:
            raise UserError(one.key_or_group, value_text(one), one_of(KEYS, name, PREFIX))
        if name in given or one.is_sweep_override():
            raise UserError(one.key_or_group, value_text(one), "one value, given once")
        given[name] = _plain(one.value())
    chosen = _choice(given.get("method", "sobol"))
    folder = given.get("sweep")
    if folder is not None and chosen not in GIVEN:
        if "method" in given:
            raise UserError("sensitivity.method", chosen, f"{' or '.join(GIVEN)} of a sweep that is there already")
        chosen = GIVEN[0]
    settings = Settings(
        method=chosen,
        samples=_samples(given.get("samples"), chosen),
        targets=_targets(given.get("outcomes"), _known(rest, folder)),
        parameters=_patterns(given.get("parameters")),
        sweep=None if folder is None else Path(str(folder)),
    )
    return settings, replace(request, overrides=tuple(rest))


def _plain(value: Any) -> Any:
    if isinstance(value, QuotedString):
        return value.text
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _choice(method: Any) -> str:
    if method not in METHODS:
        raise UserError("sensitivity.method", method, ", ".join(METHODS))
    return str(method)


def _samples(given: Any, method: str) -> int:
    if given is None:
        return DEFAULT_SAMPLES[method]
    least = LEAST_SAMPLES[method]
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= MOST_SAMPLES:
        raise UserError("sensitivity.samples", given, f"a whole number from {least} to {MOST_SAMPLES} for {method}")
    if method == "sobol" and given & (given - 1):
        raise UserError("sensitivity.samples", given, f"a power of two, such as {1 << (given - 1).bit_length()}")
    return given


def _known(rest: Sequence[str], folder: Any) -> Mapping[str, Outcome]:
    """The outcomes of the model and of extensions: those named here, or those of the sweep that is asked."""
    store = None if folder is None else read_store(Path(str(folder)))
    overrides = rest if store is None else store.manifest["overrides"]
    return outcomes_of(Extended(asked_for(overrides, ())))


def _targets(given: Any, known: Mapping[str, Outcome]) -> tuple[Target, ...]:
    names = DEFAULT_OUTCOMES if given is None else _texts("outcomes", given)
    targets = tuple(target_of(name, known) for name in names)
    if len(set(targets)) < len(targets):
        raise UserError("sensitivity.outcomes", ",".join(names), "each once")
    return targets


def _patterns(given: Any) -> tuple[str, ...] | None:
    if given is None:
        return None
    return ("*",) if given == "all" else _texts("parameters", given)


def _texts(key: str, given: Any) -> tuple[str, ...]:
    texts = given if isinstance(given, list) else [given]
    if not texts or not all(isinstance(one, str) for one in texts):
        raise UserError(PREFIX + key, given, "a name, or a list such as [one,another]")
    return tuple(texts)
