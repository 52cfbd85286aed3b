"""Hydra's own business: printing the configuration, running many jobs, completing words in the shell.

Hydra reads the command line itself, so it is shown one without the verb.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.errors import HydraException

from sim.experiment.command import Request
from sim.experiment.options import OWN, resolved, usual_sizes
from sim.model.aliases import current_overrides
from sim.model.hydra_config import (
    FAILURES,
    SCHEMA_NAME,
    Tree,
    compose_tree,
    declared_defaults,
    for_hydra,
    shipped_folder,
    unresolved_error,
)
from sim.model.scenario import load
from sim.model.validation import UserError

Run = Callable[[Request], None]
Place = Callable[[str | None, list[str]], list[str]]


def main(verb: str | None, arguments: Sequence[str], verbs: Sequence[str], place: Place, run: Run) -> None:
    """Let Hydra do what the arguments ask; `place` gives words their keys, `run` carries out one job of a multirun.

    Raises:
        UserError: the arguments are not Hydra's, or the configuration cannot be composed.
    """
    given = _read(arguments)
    if given.shell_completion:
        completed = _completed_verb(verbs) if "query" in "".join(given.overrides) else ""
        if completed is None:
            return
        options, _ = _taken(completed, ())
    else:
        flags = list(arguments)
        for one in given.overrides:
            flags.remove(one)
        placed = list(current_overrides(place(verb, given.overrides)))
        options, given.overrides = _taken(verb, placed)
        _check(given, verb)
        shown = _usual_sizes(verb, options) if given.cfg else []
        own = _sectioned(verb, placed) if given.multirun else given.overrides
        arguments = [*flags, *shown, *map(for_hydra, own)]
    if given.multirun and verb is None:
        raise UserError("verb", "(missing)", ", ".join(verbs))
    config_dir = None if given.config_dir is None else Path(given.config_dir)

    failed: list[Exception] = []

    def job(_: Any) -> None:
        made = HydraConfig.get()
        home = Path(made.runtime.output_dir) / str(verb)
        try:
            with _hydra_put_aside(options):
                run(Request(str(verb), tuple(made.overrides.task), config_dir, home))
        except Exception as error:
            # Hydra would print lines of its own about it; so it learns only that the job is over.
            failed.append(error)
            raise SystemExit(1) from None

    application = hydra.main(config_path=str(shipped_folder()), config_name="config", version_base="1.3")(job)
    with _command_line(arguments):
        try:
            _declare(options)
            application()
        except SystemExit:
            if failed:
                raise failed[0] from None
            raise
        except FAILURES as error:
            raise unresolved_error(error) from None
        finally:
            _declare({})


def _taken(verb: str | None, overrides: Sequence[str]) -> tuple[Tree, list[str]]:
    """The options of a verb by section, as the overrides set them, and the other overrides."""
    plain = [one for one in overrides if not _sweeps(one)]
    options, rest = resolved(verb or "", plain)
    return options, [*rest, *(one for one in overrides if one not in plain)]


def _usual_sizes(verb: str | None, options: Tree) -> list[str]:
    """Overrides that set what the verb simulates where nothing is said; those of the user come after them and win."""
    parameters = options.get(verb or "", {}).get("parameters")
    return [f"{key}={value}" for key, value in usual_sizes(verb or "", parameters).items()]


def _sectioned(verb: str | None, overrides: Sequence[str]) -> list[str]:
    """The overrides with options of the verb under their full keys, as the printed tree has them."""
    for kind in OWN.get(verb or "", ()):
        overrides = [kind.with_section(one) for one in overrides]
    return list(overrides)


def _sweeps(text: str) -> bool:
    one = _parsed(text)
    return one is not None and one.is_sweep_override()


def _read(arguments: Sequence[str]) -> Any:
    """The arguments as Hydra reads them."""

    def refuse(message: str) -> NoReturn:
        raise UserError("option", " ".join(arguments), f"options of Hydra ({message})")

    parser = get_args_parser()
    parser.error = refuse  # type: ignore[method-assign]
    return parser.parse_intermixed_args(list(arguments))


def _check(given: Any, verb: str | None) -> None:
    """Find mistakes before anything is made and while they can be reported in one line.

    Of a swept key the first and the last value are tried; each job checks its own configuration again.
    """
    plain, swept = [], []
    for text in given.overrides:
        one = _parsed(text)
        if one is not None and one.is_sweep_override() and given.multirun:
            if not any(kind.split([text])[0] for kind in OWN.get(verb or "", ())):
                swept.append(one)
        elif one is None or one.key_or_group.partition(".")[0].partition("/")[0] != "hydra":
            plain.append(text)
    if given.multirun and any(text.partition("=")[0] == "output.dir" for text in given.overrides):
        raise UserError("output.dir", "(with --multirun)", "hydra.sweep.dir=...: each job needs a folder of its own")
    config_dir = None if given.config_dir is None else Path(given.config_dir)
    if not given.multirun:
        compose_tree(plain, config_dir)
        return
    load(plain, config_dir)
    for one in swept:
        for value in _ends(one):
            load([*plain, f"{one.get_key_element()}={value}"], config_dir)


def _parsed(text: str) -> Override | None:
    """An override as Hydra reads it; None where Hydra cannot, which composing then reports."""
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException:
        return None


def _ends(swept: Override) -> list[str]:
    """The first and the last value of a list or range; nothing of patterns and intervals, which Hydra expands."""
    if not swept.is_discrete_sweep() or swept.value_type is ValueType.GLOB_CHOICE_SWEEP:
        return []
    values = list(swept.sweep_string_iterator())
    return [values[0], values[-1]]


def _completed_verb(verbs: Sequence[str]) -> str | None:
    """Complete the verb ourselves (None); once it is there, take it out of the line that Hydra completes."""
    line = os.environ.get("COMP_LINE", "")
    found = re.match(r"(?P<command>\s*\S+\s+)(?P<verb>[\w-]*)(?P<rest>\s.*)?$", line)
    if found is None:
        return ""
    if found["rest"] is None:
        print(" ".join(verb for verb in verbs if verb.startswith(found["verb"])))
        return None
    if found["verb"] in verbs:
        os.environ["COMP_LINE"] = found["command"] + found["rest"].lstrip()
    return found["verb"]


def _declare(options: Tree) -> None:
    """Put the options of a verb into the tree that Hydra composes, next to the parameters."""
    ConfigStore.instance().store(name=SCHEMA_NAME, node={**declared_defaults(), **options})


@contextmanager
def _hydra_put_aside(options: Tree) -> Iterator[None]:
    """Let the job compose its configuration as every call does, without the options of the verb.

    Hydra allows one composer at a time.
    """
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    _declare({})
    try:
        yield
    finally:
        _declare(options)
        GlobalHydra.instance().hydra = outer


@contextmanager
def _command_line(arguments: Sequence[str]) -> Iterator[None]:
    """Show Hydra these arguments and have it raise its errors instead of printing them."""
    before, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [before[0], *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = before
        del os.environ["HYDRA_FULL_ERROR"]
        if full is not None:
            os.environ["HYDRA_FULL_ERROR"] = full
