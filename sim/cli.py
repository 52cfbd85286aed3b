"""The command `lull VERB [key=value ...]`: finds the verb, carries it out, and reports a mistake in one line.

Everything heavy is imported by the verb that needs it, so that `lull --help` answers at once.
"""

import json
import os
import re
import shutil
import signal
import sys
import textwrap
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sim import __version__
from sim.commands import module_of
from sim.model.validation import UserError, one_of

if TYPE_CHECKING:
    from sim.experiment.command import Request


@dataclass(frozen=True)
class Verb:
    """What a verb does, its group in the help, how it is called without keys, and an example.

    `places` are the keys that arguments without a key set, in order; a last one that ends in * takes all that follow.
    `asks` is the key that takes conditions such as 'war by 2024-06-01', which are known by their form. The module that
    `module_of` names has a function `main(request)`; options and keys of the verb stand in `sim.experiment.options`.
    """

    text: str
    group: str
    places: str = "scenario"
    example: str = ""
    tables: bool = True
    asks: str = ""

    @property
    def usage(self) -> str:
        """The positional arguments as the help writes them."""
        names = [f"[{one.rstrip('*').upper()}{' ...' if one.endswith('*') else ''}]" for one in self.places.split()]
        return " ".join(names)


VERBS: Final = {
    "run": Verb("simulate an ensemble of one scenario: outcomes, patterns, one figure", "Simulate",
                example="lull run tight_leash seed=7", asks="study.outcomes"),
    "replay": Verb("one simulated history: headline, turning points, full chronicle in a file", "Simulate",
                   "run scenario", "lull replay 4711"),
    "sweep": Verb("simulate a design of parameter points: stored, resumable", "Simulate",
                  example="lull sweep 'patron.control=interval(0.2,1)' study.points=64", asks="study.outcomes"),
    "merge": Verb("join shards of a sweep, made apart with study.shard", "Simulate",
                  "folders*", "lull merge shard1 shard2 output.dir=whole"),
    "compare": Verb("paired differences between scenarios under common random numbers", "Compare and explain",
                    "scenarios*", "lull compare article no_us_strikes", asks="study.outcomes"),
    "diff": Verb("first divergence of one run between two scenarios, and the cascade after it", "Compare and explain",
                 "scenarios*", "lull diff article no_tower22 run=4711"),
    "explain": Verb("attribute an outcome to mechanisms (Shapley values)", "Compare and explain",
                    "outcome scenario", "lull explain war"),
    "report": Verb("self-contained HTML report (optional PDF)", "Compare and explain",
                   "scenarios*", "lull report article no_restraint report.pdf=true", asks="study.outcomes"),
    "sensitivity": Verb("global sensitivity indices (Sobol, Morris, PAWN, delta) and stochastic variance", "Analyse",
                        example="lull sensitivity sensitivity.method=morris", asks="sensitivity.outcomes"),
    "discover": Verb("scenario discovery (PRIM): parameter regions where an outcome concentrates", "Analyse",
                     "where sweep", "lull discover 'lull_days<14' outputs/sweep-article"),
    "optimise": Verb("Pareto front of several objectives over levers, judged again on fresh random numbers", "Analyse",
                     example="lull optimise 'patron.control=interval(0.2,1)' 'target.quiet_days=interval(5,30)'"),
    "calibrate": Verb("posterior of the parameters from observations and a file of counts; check=true: test by SBC",
                      "Fit and forecast", example="lull calibrate calibration.draws=1e6"),
    "forecast": Verb("fit to event counts of your own and forecast them", "Fit and forecast",
                     "data", "lull forecast mine/attacks.csv weeks=6"),
    "data": Verb("what a file of events or counts is, and what the filters make of it", "Fit and forecast",
                 "data", "lull data mine/attacks.csv"),
    "watch": Verb("early warning: observables that precede war or the end of the lull, and a rule to carry in the head",
                  "Fit and forecast", example="lull watch weeks=2"),
    "case": Verb("a case of your own: template, what it lacks, level refitted and predictions", "Fit and forecast",
                 "action scenario", "lull case new my_case"),
    "scenarios": Verb("scenarios and the question that each answers", "Look up", "find*", "lull scenarios strikes"),
    "events": Verb("kinds of events with an example each, and the events of a scenario", "Look up", "find*",
                   "lull events order"),
    "parameters": Verb("parameters: value, range, prior, source", "Look up", "find*", "lull parameters fear"),
    "facts": Verb("facts of the source, and what represents each in the model", "Look up", "find*", "lull facts F21"),
    "app": Verb("page in the browser: explore settings, play a history, learn the rules", "Work with Lull",
                example="lull app app.port=0", tables=False, asks="study.outcomes"),
    "verify": Verb("reproduce a folder of results and name the first difference", "Work with Lull",
                   "folder", "lull verify outputs/run-article-seed1"),
    "check-extension": Verb("test that an extension gives the same results in every engine", "Work with Lull",
                            "file", "lull check-extension mine/fatigue.py"),
    "bench": Verb("speed of the kernel on this machine", "Work with Lull", example="lull bench bench.full=true"),
}  # fmt: skip
"""A new verb is one line here, a class of options, and one module with a function `main(request)`."""

HYDRA_FLAGS: Final = frozenset(
    "--cfg -c --info -i --multirun -m --shell-completion -sc --hydra-help --resolve --package -p".split()
)
"""What is Hydra's own business; the verb is taken out and Hydra does the rest."""
FLAGS: Final = ("--config-dir", "--json", "--help", "--version", *sorted(HYDRA_FLAGS))

USAGE: Final = """\
usage: lull VERB [NAME ...] [key=value ...] [--config-dir DIR] [--json]
{verbs}
`lull help VERB` lists the keys of a verb with ranges, defaults and an example. Any key of the configuration can be set:
scenario=tight_leash, seed=7, study.runs=100000, output.dir=somewhere, militia.nujaba_iraq.autonomy=0.9,
mechanisms.fear=false. `lull parameters` and `lull scenarios` name them.

{flags}"""
FLAG_HELP: Final = """\
  --config-dir DIR      find scenarios (and actors, timelines, ...) of your own in DIR/scenario/*.yaml
  --json                print tables as JSON and nothing else
  --cfg job|hydra|all   print the configuration instead of running; --info: how it is composed
  -m, --multirun        one run for each combination: lull run -m seed=1,2,3
  -sc install=bash      print the shell's completion script (bash, zsh or fish)
  --version, --help     also: lull version, lull help
"""

CONDITION: Final = re.compile(r"\w+(\s*(<|>|≤|≥|==|!=)|\s+(by|after|from|in)\s)")
"""How a word begins that is a condition on an outcome."""
NEGATIVE: Final = re.compile(r"-[\d.]+")
"""A number below zero, which is a word and no option: its key says what is allowed instead."""
UNSEEN: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("replay", "compare", "diff", "explain", "report"), ("dask", "mpl_toolkits.mplot3d")),
    "run": ("dask", "mpl_toolkits.mplot3d", "pyarrow"),
}
"""By verb what xarray, Matplotlib and pandas import, for a second and more, only to see that it is there."""
SWITCH: Final = 5e-4
"""Seconds after which a thread gives way to another; Python's own are ten times as many."""
WIDEST: Final = 120
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
TERMINATED: Final = 143


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    0 done; 1 a verified folder differs; 2 the user's mistake, reported in one line; 130 interrupted; 141 the reader
    closed the pipe; 143 terminated. A defect of ours is none of these: it keeps its traceback.
    """
    _survive_narrow_encodings()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        # A scheduler's polite kill, too, must leave no half-written folder.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
        _prepare_process(arguments)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except UserError as mistake:
        print(f"lull: {mistake}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        # An interrupt that passed through code given to exec as text, such as that of dataclasses, leaves a mark in
        # CPython by which `python -m` dies of the signal at its very end, whatever we return; the next one clears it.
        exec("")
        print("lull: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # What is still buffered must not fail again when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _prepare_process(arguments: Sequence[str]) -> None:
    """Spare a process that runs one command what it would wait for.

    Kernels give the interpreter lock back, and wait for it a switch interval long wherever something is imported or
    drawn meanwhile. Extensions may use whatever is installed, so where there are any nothing is hidden.
    """
    sys.setswitchinterval(SWITCH)
    if not any(one.lstrip("+").startswith(("extensions=", "parameters=")) for one in arguments):
        sys.modules.update(dict.fromkeys(UNSEEN.get(arguments[0] if arguments else "", ())))  # type: ignore[arg-type]
        warnings.filterwarnings("ignore", "Unable to import Axes3D")


def _dispatch(arguments: list[str]) -> int:
    verb, rest = _split(arguments)
    given = {verb, *rest}
    if verb == "version" or "--version" in given:
        print(f"lull {__version__}")
    elif verb in (None, "help") and not (HYDRA_FLAGS & {one.partition("=")[0] for one in rest}):
        named = next((one for one in rest if not one.startswith("-")), None)
        if verb is None and rest and not given & {"--help", "-h"}:
            _request(verb, rest)
        print(_help(named if verb == "help" else None), end="")
    elif given & {"--help", "-h"}:
        print(_help(verb), end="")
    elif HYDRA_FLAGS & {one.partition("=")[0] for one in rest}:
        import_module("sim.hydra_flags").main(verb, rest, tuple(VERBS), _placed, _run)
    else:
        request = _request(verb, [one for one in rest if one != "--json"])
        if "--json" not in rest:
            return _run(request)
        if not VERBS[request.verb].tables:
            raise UserError("option", "--json", f"verbs that print tables; lull {request.verb} has none")
        with import_module("sim.reporting.terminal").only_json():
            return _run(request)
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
    import_module("sim.commands.calls.mistakes").check(request)
    return import_module(module_of(request.verb)).main(request) or 0


def _request(verb: str | None, rest: list[str]) -> "Request":
    """The request that the arguments make: overrides, and the folder of the user's own files."""
    words: list[str] = []
    folder: str | None = None
    waiting = iter(rest)
    for one in waiting:
        name, sign, value = one.partition("=")
        if name in ("--config-dir", "-cd"):
            folder = value if sign else next(waiting, "")
            if not folder:
                raise UserError(name, "(missing)", "an existing folder")
        elif one.startswith("-") and not NEGATIVE.fullmatch(one):
            raise UserError("option", one, _instead(verb, name, value or next(waiting, "")))
        else:
            words.append(one)
    if verb is None:
        raise UserError("verb", "(missing)", ", ".join(VERBS))
    words = _placed(verb, words)

    from sim.experiment.command import Request, renamed

    now, overrides = renamed(verb, words)
    if now != verb:
        print(f"lull: `lull {verb} {words[0]}` is now `lull {now}`", file=sys.stderr)
    return Request(now, overrides, None if folder is None else Path(folder))


def _placed(verb: str | None, words: list[str]) -> list[str]:
    """The words with a key for each that has none: `lull run tight_leash` sets scenario=tight_leash.

    Raises:
        UserError: there are more than the verb takes; a key that is given takes no word.
    """
    keys = {word.partition("=")[0] for word in words if not _is_bare(word)}
    places = VERBS[verb].places.split() if verb in VERBS else []
    places = [one for one in places if not {one, f"{verb}.{one}"} & keys]
    made: list[str] = []
    many: list[str] = []
    asked: list[str] = []
    asks = VERBS[verb].asks if verb in VERBS else ""
    for word in words:
        if is_asked := ";" not in word and (CONDITION.match(word) is not None or (asks and _is_spoken(word))):
            _check_event(word)
        if is_asked and asks:
            asked.append(word)
        elif not (_is_bare(word) or is_asked) or verb is None:
            made.append(word)
        elif places and places[0].endswith("*"):
            many.append(word)
        elif places and places[0] == "scenario" and ";" in word:
            places.pop(0)
            made += _entry(word)
        elif places:
            made.append(f"{places.pop(0)}={word}")
        else:
            raise UserError("override", word, f"key=value{' or a condition such as war by 2024-06-01' * bool(asks)}")
    made += [f"{asks}={json.dumps(asked)}"] if asked else []
    return [*made, *([f"{places[0].rstrip('*')}=[{','.join(many)}]"] if many else [])]


def _is_spoken(word: str) -> bool:
    """Whether a word can only be a question in words: it has blanks, which no name has, or names a bare count."""
    return word in ("attacks", "acknowledged") or (_is_bare(word) and " " in word.strip())


def _check_event(word: str) -> None:
    """Refuse an event in words that stands where a question does."""
    from sim.model.interventions import WORDS

    parts = word.split()
    for place, part in enumerate(parts[:2]):
        if part in WORDS and part not in ("deaths", "major"):  # which are asked about as well
            event = " ".join(parts[place:])
            raise UserError("event", word, f"after a scenario and a semicolon, as in 'article; {event}'")


def _entry(word: str) -> list[str]:
    """The overrides of a scenario with changes after semicolons, as an entry of a comparison is written."""
    from sim.analysis.comparison.arms import listed

    entry = listed(word)
    return [f"scenario={entry.scenario}", *entry.changes]


def _is_bare(word: str) -> bool:
    """Whether a word has no key; an entry of a comparison may hold KEY=VALUE after a semicolon, and <= is no sign."""
    key, sign, value = word.partition("=")
    if NEGATIVE.fullmatch(word) or (key and (key[-1] in "<>!" or value.startswith("="))):
        return True
    return not word.startswith(("-", "~", "+")) and (not sign or ";" in key)


def _instead(verb: str | None, flag: str, value: str) -> str:
    """What to write instead of an option that is none of ours: the key that it probably means, or options near it."""
    from sim.experiment.options import key_like

    key = key_like(verb or "run", flag.lstrip("-").replace("-", "_"))
    near = one_of(FLAGS, flag)
    return f"{key}={value or 'VALUE'}, without dashes, or options: {near}" if key and flag.startswith("--") else near


def _help(verb: str | None) -> str:
    if verb is not None:
        if verb not in VERBS:
            raise UserError("verb", verb, one_of(tuple(VERBS), verb))
        return _verb_help(verb)
    width = max(map(len, VERBS)) + 1
    lines: list[str] = []
    for group in dict.fromkeys(one.group for one in VERBS.values()):
        lines += ["", group]
        lines += [f"  {name:<{width}}{one.text}" for name, one in VERBS.items() if one.group == group]
    return _fitted(USAGE.format(verbs="\n".join([*lines, ""]), flags=FLAG_HELP), WIDEST)


def _verb_help(name: str) -> str:
    """A verb with its own keys and those that it shares with others."""
    from sim.experiment.options import help_lines

    verb = VERBS[name]
    usage = " ".join(part for part in ("usage: lull", name, verb.usage, "[key=value ...]") if part)
    keys = help_lines(name, min(shutil.get_terminal_size((100, 24)).columns, 100))
    return _fitted("\n".join([usage, "", verb.text, "", f"Example: {verb.example}", *keys, "", FLAG_HELP]), 100)


def _fitted(text: str, usual: int) -> str:
    """A help text for the width of the terminal: lines break between words and hang under their text."""
    width = min(shutil.get_terminal_size((usual, 24)).columns, usual)
    lines: list[str] = []
    for line in text.splitlines():
        head = re.match(r"\s*\S+(?:\s\S+)*\s{2,}", line)
        hang = " " * (len(head[0]) if head and len(head[0]) < width // 2 else 4)
        wrapped = textwrap.wrap(line, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
        lines += wrapped or [""]
    return "\n".join(lines) + "\n"


def _survive_narrow_encodings() -> None:
    """Print a question mark rather than fail where a terminal has no letter for a sign of ours."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
