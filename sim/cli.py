"""The command `lull VERB [key=value ...]`: finds the verb, hands over, and says in one line what the user did wrong.

Everything heavy is imported by the verb that needs it, so that `lull --help` answers at once.
"""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sim import __version__
from sim.world.errors import UserError, one_of

if TYPE_CHECKING:
    from sim.study.request import Request


@dataclass(frozen=True)
class Verb:
    """What a verb does, the keys of its own, and the module whose `main(request)` does it."""

    text: str
    module: str
    keys: str = ""


VERBS: Final = {
    "run": Verb("simulate a scenario: outcomes, patterns, one figure", "sim.view.verbs.run"),
    "replay": Verb("tell one history day by day", "sim.view.verbs.replay", "run=NUMBER"),
    "facts": Verb("the facts of the source, and what in the model stands for each", "sim.view.verbs.facts"),
    "parameters": Verb("every parameter: value, range, prior, source", "sim.view.verbs.parameters"),
    "scenarios": Verb("the scenarios and the question that each answers", "sim.view.verbs.scenarios"),
    "explain": Verb(
        "what made an outcome, or where two scenarios part",
        "sim.view.verbs.explain",
        "outcome=NAME | divergence=[A,B] run=NUMBER",
    ),
    "verify": Verb("make a folder of results again, and name the first difference", "sim.view.verbs.verify", "FOLDER"),
    "compare": Verb("scenarios side by side under the same luck", "sim.view.verbs.compare", "scenarios=[A,B,...]"),
    "report": Verb(
        "one page for those who decide, to read, print and pass on", "sim.view.verbs.report", "scenarios=[A,B,...]"
    ),
    "sweep": Verb("histories at many points, stored, resumable", "sim.view.verbs.sweep", "KEY=interval(0,1) ..."),
    "sensitivity": Verb("what outcomes hang on, and how much is chance", "sim.view.verbs.sensitivity"),
    "discover": Verb(
        "where in parameter space an outcome comes from",
        "sim.view.verbs.discover",
        "discover.where='lull_days<14'",
    ),
    "calibrate": Verb(
        "what the figures, or data of your own, say about the parameters",
        "sim.view.verbs.calibrate",
        "check=true, data=FILE",
    ),
    "app": Verb(
        "a page in the browser: explore settings, play a history, learn rules",
        "sim.view.verbs.app",
        "app.port=5006, app.show=false",
    ),
    "check-extension": Verb(
        "whether your extension means the same in every engine", "sim.view.verbs.check_extension", "FILE"
    ),
    "bench": Verb("how fast the kernel is on this machine", "sim.view.verbs.bench", "bench.full=true"),
}
"""A new verb is one line here and one module with a function `main(request)`."""

HYDRA_FLAGS: Final = frozenset(
    "--cfg -c --info -i --multirun -m --shell-completion -sc --hydra-help --resolve --package -p".split()
)
"""What is Hydra's own business; the verb is taken out and Hydra does the rest."""

USAGE: Final = """\
usage: lull VERB [key=value ...] [--config-dir DIR]

{verbs}

Any key of the configuration can be set: scenario=tight_leash, seed=7, study.runs=100000, output.dir=somewhere,
militia.nujaba_iraq.autonomy=0.9, mechanisms.fear=false. `lull parameters` and `lull scenarios` name them.

  --config-dir DIR      find scenarios (and actors, timelines, ...) of your own in DIR/scenario/*.yaml
  --cfg job|hydra|all   print the configuration instead of running; --info: how it is composed
  -m, --multirun        one run for each combination: lull run -m seed=1,2,3
  -sc install=bash      print the shell's completion script (bash, zsh or fish)
  --version, --help     also: lull version, lull help, lull VERB --help
"""

BAD_INPUT: Final = 2
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
TERMINATED: Final = 143


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    0 done; 1 a verified folder differs; 2 the user's mistake, told in one line; 130 interrupted; 141 nobody reads on;
    143 terminated. A defect of ours is none of these: it keeps its traceback.
    """
    _survive_narrow_encodings()
    if argv is None:
        # A scheduler's polite kill, too, must leave no half-written folder.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        code = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except UserError as mistake:
        print(f"lull: {mistake}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("lull: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # What is still buffered must not fail again when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _dispatch(arguments: list[str]) -> int:
    verb, rest = _split(arguments)
    asked = {verb, *rest}
    if verb == "version" or "--version" in asked:
        print(f"lull {__version__}")
    elif HYDRA_FLAGS & {one.partition("=")[0] for one in rest}:
        import_module("sim.view.hydra_app").main(verb, rest, tuple(VERBS), _run)
    elif verb in (None, "help") or asked & {"--help", "-h"}:
        print(_help(verb), end="")
    else:
        return _run(_request(verb, rest))
    return 0


def _split(arguments: list[str]) -> tuple[str | None, list[str]]:
    """The verb, which comes first, and the rest."""
    if not arguments or arguments[0].startswith("-"):
        return None, arguments
    verb = arguments[0]
    if verb not in (*VERBS, "help", "version"):
        raise UserError("verb", verb, one_of(tuple(VERBS), verb))
    return verb, arguments[1:]


def _run(request: "Request") -> int:
    """Carry out a verb; its exit code, which is 0 unless it says otherwise."""
    return import_module(VERBS[request.verb].module).main(request) or 0


def _request(verb: str | None, rest: list[str]) -> "Request":
    """The request that the arguments make: overrides, and the folder of the user's own files."""
    from sim.study.request import Request

    overrides: list[str] = []
    folder: str | None = None
    waiting = iter(rest)
    for one in waiting:
        name, sign, value = one.partition("=")
        if name in ("--config-dir", "-cd"):
            folder = value if sign else next(waiting, "")
            if not folder:
                raise UserError(name, "(missing)", "an existing folder")
        elif one.startswith("-"):
            raise UserError("option", one, one_of(("--config-dir", "--help", "--version", *sorted(HYDRA_FLAGS)), one))
        else:
            overrides.append(one)
    if verb is None:
        raise UserError("verb", "(missing)", ", ".join(VERBS))
    return Request(verb, tuple(overrides), None if folder is None else Path(folder))


def _help(verb: str | None) -> str:
    shown = VERBS if verb not in VERBS else {verb: VERBS[verb]}
    width = max(map(len, VERBS)) + 1
    lines = [f"  {name:<{width}}{one.text}{f' ({one.keys})' if one.keys else ''}" for name, one in shown.items()]
    return USAGE.format(verbs="\n".join(lines))


def _survive_narrow_encodings() -> None:
    """Print a question mark rather than fail where a terminal has no letter for a sign of ours."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
