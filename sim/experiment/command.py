"""One call of a command, from the command line (`Request`) or from Python (`Study`)."""

import inspect
import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, Final, Self, TypedDict, TypeVar, cast, get_args

from sim.experiment.options import OWN, READ, SIZED, Option, Options, declared, reads, value_of
from sim.model.extension import Extension
from sim.model.hydra_config import ENGINE_KEYS, TOP_KEYS, override_of
from sim.model.scenario import DEFAULTS, Config, load
from sim.model.validation import UserError, one_of

Own = TypeVar("Own", bound=Options)
Call = TypeVar("Call", bound=Callable[..., Any])


class Composed(TypedDict, total=False):
    """What a Python call takes by name to make its configuration, besides its own arguments."""

    seed: int | None
    overrides: Mapping[str, Any]
    extensions: Sequence[Extension | Path | str]
    threads: int | None
    config_dir: Path | str | None


class Study(Composed, total=False):
    """What every Python call of a verb takes by name, besides its own arguments."""

    to: Path | str | None
    progress: Callable[[int], None] | None


USUAL: Final[Mapping[str, Any]] = {"overrides": {}, "extensions": ()}
"""Defaults of these arguments that are not None."""
ARGUMENTS: Final = {
    "seed": "study seed, 0 to 2**64 - 1; None: 1.",
    "overrides": 'configuration keys and values, such as `{"patron.control": 0.9, "history.free_from": None}`.',
    "extensions": "extensions, or Python files that define them; files where a folder is written.",
    "threads": "0 uses every core. The result does not depend on it.",
    "config_dir": "a folder with files of your own, laid out as `configs/`.",
    "to": "a folder for what the command writes, as `save` does; stopped and called again, the study resumes there.",
    "progress": "called with numbers of finished histories.",
}
FROM_DEFAULTS: Final = {
    "sweep": " in a sweep; study.draws=posterior makes draws its points",
    "calibrate": ": a calibration starts from the priors",
    "forecast": " with a forecast: the shipped posterior knows the article, not these counts",
    "case": ": the posterior is carried over in any case",
}
"""Verbs that start from the declared values, and why."""
NO_CLUSTER: Final = "null here: run it without; this is too little for a cluster"
MARK: Final = "        **study: as in every call.\n"


def study_call(function: Call) -> Call:
    """Spell out the arguments that a function takes as `**study`, in signature and docstring, and refuse others."""
    signature = inspect.signature(function)
    *own, study = signature.parameters.values()
    [kind] = get_args(study.annotation)
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=USUAL.get(name), annotation=given)
        for name, given in kind.__annotations__.items()
    ]
    texts = "".join(f"        {name}: {ARGUMENTS[name]}\n" for name in kind.__annotations__)
    names = {one.name for one in (*own, *shared)}

    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        for name in named:
            if name not in names:
                raise unknown_argument(function.__name__, name, names)
        return function(*args, **named)

    call.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
    call.__doc__ = (function.__doc__ or "").replace(MARK, texts)
    return cast(Call, call)


def unknown_argument(call: str, name: str, names: Collection[str]) -> TypeError:
    """The error of a call that takes no argument of this name.

    >>> print(unknown_argument("compare", "sed", ["runs", "seed"]))
    compare() got an unexpected keyword argument 'sed'; arguments: one of 2 names, nearest: seed
    """
    problem = f"{call}() got an unexpected keyword argument {name!r}"
    if name in TOP_KEYS:
        return TypeError(f'{problem}; keys of the configuration are set in overrides={{"{name}": ...}}')
    return TypeError(f"{problem}; arguments: {one_of(sorted(names), name)}")


@dataclass(frozen=True)
class Request:
    """One call of one verb.

    `overrides` are Hydra's, such as `seed=7`; `home` is the folder of results to make where the caller decides it;
    `extensions` are those that a Python call hands over as objects.
    """

    verb: str
    overrides: tuple[str, ...] = ()
    config_dir: Path | None = None
    home: Path | None = None
    extensions: tuple[Extension, ...] = field(default=(), repr=False)

    @property
    def command(self) -> str:
        """The command line that asks the same again.

        >>> Request("run", ("seed=7", "events.campaign.to=null")).command
        'lull run seed=7 events.campaign.to=null'
        """
        folder = () if self.config_dir is None else ("--config-dir", str(self.config_dir))
        return shlex.join(("lull", self.verb, *folder, *self.overrides))

    def config(self, cluster: bool = False) -> Config:
        """The configuration that the overrides make, of a verb that simulates one of them, perhaps on a cluster.

        Raises:
            UserError: it cannot be used, or an override asks for what this verb does not do.
        """
        if not cluster:
            check_one_machine(self.overrides)
        return load(self.overrides, self.config_dir, self.extensions)

    def check_kept(self) -> None:
        """Refuse extensions that are no files where results are kept: `lull verify` could not find them.

        Raises:
            UserError: there is one.
        """
        for one in self.extensions:
            raise UserError("extensions", one.name, "Python files where results are kept, for lull verify to find them")

    def sets(self, key: str) -> bool:
        """Whether an override sets this very key."""
        return any(one.partition("=")[0] == key for one in self.overrides)

    def options(self, kind: type[Own]) -> tuple[Own, Self]:
        """Options of the verb, which belong to no configuration, and the request without them.

        >>> from sim.experiment.options import ReplayOptions
        >>> Request("replay", ("run=3", "seed=7")).options(ReplayOptions)
        (ReplayOptions(run=3, full=False), Request(verb='replay', overrides=('seed=7',), config_dir=None, home=None))
        """
        given, rest = kind.split(self.overrides)
        return kind.read(given), replace(self, overrides=rest)


def split_options(request: Request) -> tuple[dict[type[Options], Options], Request]:
    """The options of the verb by class, and the request without them."""
    found: dict[type[Options], Options] = {}
    for kind in OWN.get(request.verb, ()):
        found[kind], request = request.options(kind)
    return found, request


def renamed(verb: str, overrides: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The present verb and keys of a command in its old spelling, which is read for one release.

    >>> renamed("explain", ["divergence=[article,no_order]", "run=3"])
    ('diff', ('scenarios=[article,no_order]', 'run=3'))
    >>> renamed("calibrate", ["data=mine.csv", "weeks=6"])
    ('forecast', ('data=mine.csv', 'weeks=6'))
    """
    keys = {one.partition("=")[0] for one in overrides}
    if verb == "calibrate" and "data" in keys and keys & {"score", "until", "weeks", "histories"}:
        return "forecast", tuple(overrides)
    if verb == "explain" and "divergence" in keys:
        return "diff", tuple(re.sub("^divergence=", "scenarios=", one) for one in overrides)
    return verb, tuple(overrides)


def check_read(verb: str, overrides: Sequence[str]) -> None:
    """Refuse keys of what and how much is simulated that a verb does not read: they would seem to have an effect.

    Where a verb refuses other sources of parameters with a reason of its own, `check_from_defaults` does.

    >>> check_read("run", ["study.runs=50"])
    """
    sized = {kind.key(name) for kind in SIZED for name in declared(kind)}
    sized |= set() if verb in FROM_DEFAULTS or reads(verb, "study.accept_versions") else {"parameters"}
    for text in overrides:
        key, _, value = text.partition("=")
        key = key.lstrip("+")
        if key in sized and value not in ("null", DEFAULTS) and not reads(verb, key):
            readers = [f"lull {one}" for one in READ if reads(one, key)]
            raise UserError(key, value, f"null: lull {verb} does not read it, but {', '.join(readers)}")


def check_one_machine(overrides: Sequence[str]) -> None:
    """Refuse a cluster where one machine does all.

    >>> check_one_machine(["engine.threads=1", "engine.cluster=null"])
    """
    for text in overrides:
        key, _, value = text.lstrip("+").partition("=")
        section, _, name = key.partition(".")
        if section == "engine" and name in ENGINE_KEYS and name != "threads" and value != "null":
            raise UserError(key, value, NO_CLUSTER)


def check_from_defaults(verb: str, config: Config) -> None:
    """Refuse other parameters than the declared values, of a verb that varies or fits them itself.

    Raises:
        UserError: the configuration takes them from a posterior.
    """
    if config.parameters_from != DEFAULTS:
        raise UserError("parameters", config.parameters_from, f"{DEFAULTS}{FROM_DEFAULTS[verb]}")


def whole(key: str, text: str, low: int, high: int) -> int:
    """A whole number as a user writes it.

    >>> whole("run", "4711", 0, 2**48 - 1)
    4711
    """
    return int(Option("", low, high).check(key, int, value_of(int, text)))


def spelled_options(options: Options) -> list[str]:
    """Options as overrides, those at their default left out.

    >>> from sim.experiment.options import ReplayOptions
    >>> spelled_options(ReplayOptions(run=3))
    ['replay.run=3']
    """

    usual = type(options)().values()
    changed = {name: value for name, value in options.values().items() if value != usual[name]}
    return [override_of(options.key(name), value) for name, value in changed.items()]


def override_texts(
    overrides: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
    extensions: Sequence[Path | str] = (),
    make: Callable[[str, Any], str] = override_of,
) -> list[str]:
    """Overrides that set the values of a Python call, each also spelled as on the command line.

    Those of `given` that are not None come last and therefore win. `make` makes an override of a key and a value.

    >>> override_texts({"history.free_from": None, "mechanisms.fear": False}, {"seed": 3, "study.runs": None})
    ['history.free_from=null', 'mechanisms.fear=false', 'seed=3']
    """
    if not isinstance(overrides, Mapping):
        raise UserError("overrides", overrides, 'a mapping of keys to values, such as {"history.free_from": None}')
    files = {"extensions": [str(one) for one in extensions] or None}
    more = {key: value for key, value in {**(given or {}), **files}.items() if value is not None}
    return [make(key, value) for part in (overrides, more) for key, value in part.items()]
