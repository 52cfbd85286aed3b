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
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from sim.study.request import Request
from sim.world.compose import compose_tree, shipped_folder
from sim.world.errors import UserError
from sim.world.hydra_errors import FAILURES, unresolved

Run = Callable[[Request], None]


def main(verb: str | None, arguments: Sequence[str], verbs: Sequence[str], run: Run) -> None:
    """Let Hydra do what the arguments ask; `run` carries out one job of a multirun.

    Raises:
        UserError: the arguments are not Hydra's, or the configuration cannot be composed.
    """
    given = _read(arguments)
    if given.shell_completion:
        if "query" in "".join(given.overrides) and _completes_verb(verbs):
            return
    else:
        _check(given)
    if given.multirun and verb is None:
        raise UserError("verb", "(missing)", ", ".join(verbs))
    config_dir = None if given.config_dir is None else Path(given.config_dir)

    def job(_: Any) -> None:
        made = HydraConfig.get()
        home = Path(made.runtime.output_dir) / str(verb)
        run(Request(str(verb), tuple(made.overrides.task), config_dir, home))

    application = hydra.main(config_path=str(shipped_folder()), config_name="config", version_base="1.3")(job)
    with _command_line(arguments):
        try:
            application()
        except UserError:
            raise
        except FAILURES as error:
            raise unresolved(error) from None


def _read(arguments: Sequence[str]) -> Any:
    """The arguments as Hydra reads them."""

    def refuse(message: str) -> NoReturn:
        raise UserError("option", " ".join(arguments), f"options of Hydra ({message})")

    parser = get_args_parser()
    parser.error = refuse  # type: ignore[method-assign]
    return parser.parse_intermixed_args(list(arguments))


def _check(given: Any) -> None:
    """Find mistakes while they can still be told in one line; swept keys and Hydra's own are left to Hydra."""
    plain = [one for one in given.overrides if not _hydras(one)]
    if given.multirun and any(one.partition("=")[0] == "output.dir" for one in plain):
        raise UserError("output.dir", "(with --multirun)", "hydra.sweep.dir=...: each job needs a folder of its own")
    compose_tree(plain, None if given.config_dir is None else Path(given.config_dir))


def _hydras(text: str) -> bool:
    try:
        override = OverridesParser.create().parse_override(text)
    except HydraException:
        return False
    return override.key_or_group.partition(".")[0].partition("/")[0] == "hydra" or override.is_sweep_override()


def _completes_verb(verbs: Sequence[str]) -> bool:
    """Complete the verb ourselves; once it is there, take it out of the line that Hydra completes."""
    line = os.environ.get("COMP_LINE", "")
    found = re.match(r"(?P<command>\s*\S+\s+)(?P<verb>[\w-]*)(?P<rest>\s.*)?$", line)
    if found is None:
        return False
    if found["rest"] is None:
        print(" ".join(verb for verb in verbs if verb.startswith(found["verb"])))
        return True
    if found["verb"] in verbs:
        os.environ["COMP_LINE"] = found["command"] + found["rest"].lstrip()
    return False


@contextmanager
def _command_line(arguments: Sequence[str]) -> Iterator[None]:
    """Show Hydra these arguments and have it raise its errors instead of printing them."""
    before, told = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [before[0], *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = before
        del os.environ["HYDRA_FULL_ERROR"]
        if told is not None:
            os.environ["HYDRA_FULL_ERROR"] = told
