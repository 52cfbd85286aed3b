"""The options of every verb, each declared once: name, default, range, unit, meaning and an example.

Reading the command line, validation, `lull VERB --help`, `--cfg job`, completion, the manifest and the Python calls
derive from these classes. On the command line an option is written `NAME=VALUE` or `SECTION.NAME=VALUE`.
"""

# ruff: noqa: RUF009 -- option() makes a field, as dataclasses.field does

import difflib
import math
import textwrap
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple, Self, Union, get_args, get_origin, get_type_hints

from sim.model.hydra_config import GivenOverride
from sim.model.validation import UserError, mapping, one_of, unknown_key, written

MIN_TEXT: Final = 40
"""Columns that a text needs to stand next to its key in the help."""
RUN_LIMIT: Final = 2**48
"""Runs that have an address among the random numbers; `sim.numbers.philox` has the same limit."""
ARTICLE: Final = ("article", "no_us_strikes", "no_restraint")
"""The question of the article as scenarios: the documented course, without strikes, and without orders to hold back."""


@dataclass(frozen=True)
class Option:
    """What an option means and takes; `allowed` is the wording of the range where numbers alone do not say it."""

    text: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    allowed: str = ""
    unit: str = ""
    example: str = ""

    def range_words(self, kind: type) -> str:
        """The values that are allowed, in words."""
        if self.allowed or self.choices:
            return self.allowed or ", ".join(self.choices)
        if kind is int:
            return f"a whole number from {self.low} to {self.high}"
        if kind is float:
            return f"a number from {self.low:g} to {self.high:g}"
        words = {bool: "true or false", date: "a date such as 2024-02-02", tuple: "a list such as [one,another]"}
        return (words | {Path: "a file or a folder"}).get(kind, "a text")

    def check(self, key: str, kind: type, value: Any) -> Any:
        """The value as the type that was declared."""
        if kind is Path and isinstance(value, str) and value.strip():
            value = Path(value)
        if kind is tuple and isinstance(value, str | list):
            value = (value,) if isinstance(value, str) else tuple(value)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if kind is int and isinstance(value, float) and value.is_integer():
            value = int(value)
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if right and kind in (int, float):
            right = self.low <= value <= self.high
        elif right and kind is tuple:
            right = bool(value) and all(isinstance(one, str) and one for one in value)
        elif right and kind is str:
            right = bool(value.strip()) and (not self.choices or value in self.choices)
        if not right:
            allowed = one_of(self.choices, value) if self.choices else self.range_words(kind)
            raise UserError(key, value, allowed)
        return value


def option(default: Any, text: str, **more: Any) -> Any:
    """A field of a class of options; `more` are fields of `Option`."""
    return field(default=default, metadata={"option": Option(text, **more)})


@dataclass(frozen=True)
class Options:
    """Options of one section. Values are checked whether they come from the command line or from Python.

    `dotted` are names that are always written with their section, for they alone mean something else.
    """

    section: ClassVar[str] = ""
    dotted: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, section: str = "", dotted: tuple[str, ...] = ()) -> None:
        cls.section, cls.dotted = section, dotted

    def __post_init__(self) -> None:
        for name, (one, kind, optional) in declared(type(self)).items():
            value = getattr(self, name)
            if not (kind is object or (value is None and optional)):
                object.__setattr__(self, name, one.check(self.key(name), kind, value))

    @classmethod
    def key(cls, name: str) -> str:
        """The full key of an option."""
        return f"{cls.section}.{name}" if cls.section else name

    @classmethod
    def split(cls, overrides: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
        """The overrides that set these options, by name, and all others."""
        known = declared(cls)
        given: dict[str, str] = {}
        rest: list[str] = []
        for text in overrides:
            key, sign, value = text.partition("=")
            key = key.lstrip("+")
            name = key.removeprefix(f"{cls.section}.")
            if not sign or (name == key and (key not in known or key in cls.dotted)):
                rest.append(text)
            elif name not in known:
                raise UserError(key, value, one_of(known, name, f"{cls.section}."))
            elif name in given:
                raise UserError(key, f"{given[name]} {text}", "one value, given once")
            else:
                given[name] = text
        return given, tuple(rest)

    @classmethod
    def with_section(cls, override: str) -> str:
        """An override of one of these options with its section; any other as it is.

        >>> ReplayOptions.with_section("run=3"), ReplayOptions.with_section("seed=7")
        ('replay.run=3', 'seed=7')
        """
        name = override.partition("=")[0]
        return f"{cls.section}.{override}" if name in declared(cls) and name not in cls.dotted else override

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        """The options from overrides by name, as `split` finds them."""
        found: dict[str, Any] = {}
        for name, text in given.items():
            one, kind, optional = declared(cls)[name]
            key, _, written = text.partition("=")
            if optional and written == "null":
                continue
            value = text.value if isinstance(text, GivenOverride) else value_of(kind, written)
            found[name] = value if kind is object else one.check(key.lstrip("+"), kind, value)
        return cls(**found)

    @classmethod
    def of(cls, section: object) -> Self:
        """The options as a section of the composed configuration has them; 1e6 is a whole number there."""
        given = mapping(cls.section, section)
        for name, value in given.items():
            if name not in declared(cls):
                raise unknown_key(cls.section, name, value, declared(cls))
        return cls(**given)

    def values(self) -> dict[str, Any]:
        """The options as plain values, for JSON and for the printed configuration."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: _plain(value) for name, value in found.items()}


def declared(kind: type[Options]) -> dict[str, tuple[Option, type, bool]]:
    """By name: the declaration of an option, the type of its value, and whether None is allowed."""
    hints = get_type_hints(kind)
    return {one.name: (one.metadata["option"], *_type(hints[one.name])) for one in fields(kind)}


def _type(hint: Any) -> tuple[type, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        inner = [one for one in get_args(hint) if one is not type(None)]
        return _type(inner[0])[0], True
    return (object if hint is Any else get_origin(hint) or hint), False


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path | date) else value


def value_of(kind: type, text: str) -> Any:
    """What a text says, as the type where it can be read so; otherwise the text, which the check refuses."""
    try:
        if kind is bool:
            return {"true": True, "false": False}[text]
        if kind is int:
            return int(text) if text.isascii() and text.isdigit() and len(text.lstrip("0")) < 40 else text
        if kind is float:
            return float(text)
        if kind is date:
            return date.fromisoformat(text)
    except (KeyError, ValueError):
        return text
    return entries(text) if kind is tuple else unquoted(text)


def unquoted(text: str) -> str:
    """A text without the quotes around it.

    >>> unquoted("'a b'")
    'a b'
    """
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" and text[0] not in text[1:-1]
    return text[1:-1].strip() if quoted else text


def entries(text: str) -> tuple[str, ...]:
    """The entries of a list.

    >>> entries("[article, 'article;target.quiet_days=5']")
    ('article', 'article;target.quiet_days=5')
    """
    inside = text.strip()
    if inside.startswith("[") and inside.endswith("]"):
        inside = inside[1:-1]
    return tuple(unquoted(one) for one in parted(inside, ","))


def parted(text: str, sign: str) -> list[str]:
    """A text cut at a sign, except inside brackets or quotes.

    >>> parted("a=[1,2],b='x,y',c", ",")
    ['a=[1,2]', "b='x,y'", 'c']
    """
    parts, depth, quote = [""], 0, ""
    for one in text:
        if one == sign and not (depth or quote):
            parts.append("")
            continue
        parts[-1] += one
        if quote:
            quote = "" if one == quote else quote
        elif one in "'\"":
            quote = one
        else:
            depth += (one in "[{(") - (one in "]})")
    if depth or quote:
        allowed = "a list such as [article,article;target.quiet_days=5], every bracket and quote closed"
        raise UserError("list", text, allowed)
    return [part.strip() for part in parts]


# --- options of one verb ------------------------------------------------------------------------------------


def parameter_option(more: str = "", usual: str = "posterior") -> Any:
    """Which parameter sets a comparison or an attribution simulates."""
    names = f"{more}posterior, prior or defaults"
    return option(None, f"parameter sets: {names}; null: {usual}", allowed=names)


def run_option() -> Any:
    """Which run is looked at."""
    return option(0, "number of the run", low=0, high=RUN_LIMIT - 1, example="4711")


@dataclass(frozen=True)
class ReplayOptions(Options, section="replay"):
    """`lull replay`."""

    run: int = run_option()
    full: bool = option(False, "print every day, not only the turning points")


@dataclass(frozen=True)
class LookupOptions(Options, section="lookup"):
    """`lull facts`, `lull parameters`, `lull events` and `lull scenarios`."""

    find: tuple[str, ...] | None = option(None, "names or words of the entries to show; null: all", example="fear")


@dataclass(frozen=True)
class ExplainOptions(Options, section="explain"):
    """`lull explain`."""

    outcome: str = option("lull_days", "outcome that is attributed", allowed="a recorded outcome", example="war")
    mechanisms: tuple[str, ...] | None = option(
        None, "mechanisms that share it; null: all that are active", example="[fear,patron_restraint]"
    )
    parameters: str | None = parameter_option()


@dataclass(frozen=True)
class DiffOptions(Options, section="diff"):
    """`lull diff`."""

    scenarios: tuple[str, ...] = option(ARTICLE[:2], "two scenarios", example="[article,no_tower22]")
    run: int = run_option()


@dataclass(frozen=True)
class CompareOptions(Options, section="compare"):
    """`lull compare`, and the comparison within a report."""

    scenarios: tuple[str, ...] = option(
        ARTICLE, "two or more scenarios, the first the baseline", example="[article,'article;target.quiet_days=5']"
    )
    parameters: str | None = parameter_option(
        "conditioned, ", "conditioned where all scenarios depart after the report, else posterior"
    )
    war_loss: Any = option(
        None, "value of a history with war where scenarios are ranked; null: the worst", example="{attacks_after:500}"
    )
    departures: str = option(
        "common", "free documented history in all scenarios on one day, or in each pair on its own",
        choices=("common", "own"),
    )  # fmt: skip


@dataclass(frozen=True)
class ReportOptions(Options, section="report"):
    """`lull report`."""

    outcome: str | None = option(
        None, "outcome that is explained; null: the first condition asked, or lull_days",
        allowed="a recorded outcome or a condition that is asked", example="war",
    )  # fmt: skip
    question: str | None = option(None, "heading; null: made of the scenarios", allowed="a question of 1 to 300 signs")
    mechanisms: tuple[str, ...] | None = option(
        None, "mechanisms that share the outcome; null: all that are active", example="[fear,patron_restraint]"
    )
    share_draws: int = option(32, "parameter sets of the attribution", low=1, high=10**8)
    share_runs: int = option(16, "runs of each set and coalition of mechanisms", low=1, high=10**8)
    pdf: bool = option(False, "print the page to PDF as well")
    docx: bool = option(False, "write the brief and all tables as a Word document as well")
    xlsx: bool = option(False, "write all tables as the sheets of an Excel file as well")


@dataclass(frozen=True)
class SensitivityOptions(Options, section="sensitivity", dotted=("parameters",)):
    """`lull sensitivity`."""

    method: str | None = option(
        None, "null: sobol, or pawn with a sweep", choices=("sobol", "morris", "pawn", "delta"), example="morris"
    )
    samples: int | None = option(
        None, "samples of the design; null: 512 for sobol, 64 for morris, else 4096", low=0, high=2**40, example="128"
    )
    outcomes: tuple[str, ...] = option(
        ("acknowledged_lull:mean", "lull_days:median", "war:share", "deaths:atleast10"), "OUTCOME:STATISTIC",
        allowed="a name, or a list such as [one,another]", example="[war:share]",
    )  # fmt: skip
    parameters: tuple[str, ...] | None = option(
        None, "patterns of the keys that vary; null: shared parameters with a prior; all: every one",
        allowed="a name, or a list such as [one,another]", example="[patron.*]",
    )  # fmt: skip
    sweep: Path | None = option(None, "folder of a finished sweep to analyse instead", example="outputs/sweep-article")


@dataclass(frozen=True)
class DiscoverOptions(Options, section="discover"):
    """`lull discover`."""

    where: str | None = option(
        None, "cases to look for", allowed="an outcome that is 0 or 1, or a comparison", example="'lull_days<14'"
    )
    sweep: Path | None = option(None, "folder of the sweep", example="outputs/sweep-article")
    boxes: int = option(3, "most boxes", low=1, high=10)
    coverage: float | None = option(
        None, "least coverage of a box; null: chosen by coverage minus mass", low=5e-324, high=1 - 2**-53,
        allowed="a number above 0 and below 1", example="0.8",
    )  # fmt: skip


@dataclass(frozen=True)
class CalibrateOptions(Options, section="calibrate"):
    """`lull calibrate`."""

    check: bool = option(False, "simulation-based calibration with a control that must fail")
    data: Path | None = option(
        None, "file of events or of cumulative counts, to be fitted to as well", example="mine/attacks.csv"
    )
    stretch: int = option(21, "days of each stretch whose attacks are counted", low=1, high=366, unit="days")
    lag: int = option(2, "most days between an attack and its report", low=0, high=14, unit="days")
    dispersion: float = option(0.1, "variance of a count beyond its mean, over the mean squared", low=1e-6, high=10.0)


@dataclass(frozen=True)
class ForecastOptions(Options, section="forecast"):
    """`lull forecast`."""

    data: Path | None = option(None, "file of events or of cumulative counts", example="mine/attacks.csv")
    score: bool = option(False, "forecast the past from several days on and score it")
    until: date | None = option(
        None, "last day whose counts are used; null: the last of the file", example="2024-02-02"
    )
    weeks: int | None = option(None, "weeks ahead; null: 4", low=1, high=520, unit="weeks")
    histories: int = option(100_000, "simulated histories", low=1000, high=10_000_000)


@dataclass(frozen=True)
class DataOptions(Options, section="check"):
    """`lull data`."""

    data: Path | None = option(None, "file of events or of counts", example="mine/attacks.csv")


@dataclass(frozen=True)
class WatchOptions(Options, section="watch"):
    """`lull watch`."""

    weeks: int = option(4, "weeks ahead within which the event comes", low=1, high=26, unit="weeks")
    false_alarms: float = option(2.0, "false alarms a year that are accepted", low=0.05, high=52.0, unit="per year")
    data: Path | None = option(
        None, "file of events of your own, whose last day is judged; only attacks are then watched",
        example="mine/attacks.csv",
    )  # fmt: skip
    parameters: str | None = option(
        None, "parameter sets; null: conditioned where the scenario departs after the report, else posterior",
        choices=("conditioned", "posterior", "defaults"), example="posterior",
    )  # fmt: skip


@dataclass(frozen=True)
class OptimiseOptions(Options, section="optimise"):
    """`lull optimise`."""

    objectives: tuple[str, ...] = option(
        ("min war", "max lull_days >= 90"), "what is wanted: min or max, and an outcome, a statistic or a condition",
        example="[min war,max lull_days]",
    )  # fmt: skip
    constraints: tuple[str, ...] | None = option(
        None, "what must hold on average: an outcome or condition at most or at least a number",
        example="['deaths >= 10 at most 0.2']",
    )  # fmt: skip
    robust: str = option(
        "mean", "how an objective counts over parameter sets: its mean, a quantile of the loss, or mean regret",
        choices=("mean", "q75", "q90", "q95", "regret"),
    )  # fmt: skip
    population: int = option(48, "candidates of a generation", low=8, high=2000)
    generations: int = option(20, "generations", low=1, high=2000)
    parameters: str | None = option(
        None, "parameter sets; null: posterior", choices=("posterior", "defaults"), example="defaults"
    )


@dataclass(frozen=True)
class CaseOptions(Options, section="case"):
    """`lull case`."""

    action: str | None = option(
        None, "new: write a template; check: say what is missing or assumed; predict: refit the level and predict",
        choices=("new", "check", "predict"), example="check",
    )  # fmt: skip
    histories: int = option(200_000, "simulated histories of a prediction", low=1000, high=10_000_000)


@dataclass(frozen=True)
class AppOptions(Options, section="app"):
    """`lull app`."""

    port: int = option(5006, "port; 0: any that is free", low=0, high=65535)
    host: str = option(
        "127.0.0.1",
        "address that is served",
        allowed="a name or an address of this machine, such as 127.0.0.1 or 0.0.0.0",
    )
    show: bool = option(True, "open a browser")


@dataclass(frozen=True)
class BenchOptions(Options, section="bench"):
    """`lull bench`."""

    full: bool = option(False, "also growth with runs, days and wings")


@dataclass(frozen=True)
class VerifyOptions(Options, section="verify"):
    """`lull verify`."""

    folder: Path | None = option(None, "folder of results", example="outputs/run-article-seed1")
    trust: bool = option(False, "use the extensions and files of the folder: this runs their code")


@dataclass(frozen=True)
class MergeOptions(Options, section="merge"):
    """`lull merge`."""

    folders: tuple[str, ...] = option((), "folders of the shards", example="[a,b]")
    trust: bool = option(False, "use the extensions and files that the shards keep: this runs their code")


@dataclass(frozen=True)
class CheckExtensionOptions(Options, section="check-extension"):
    """`lull check-extension`."""

    file: Path | None = option(None, "Python file that defines an Extension", example="mine/fatigue.py")


# --- options that verbs share, in the configuration ---------------------------------------------------------


@dataclass(frozen=True)
class CallOptions(Options):
    """Keys of the configuration that choose and number histories."""

    scenario: str = option("article", "scenario file", allowed="a name of `lull scenarios`", example="tight_leash")
    seed: int = option(1, "seed of the study", low=0, high=2**64 - 1)
    parameters: str = option(
        "defaults", "source of the shared parameters", choices=("defaults", "posterior", "conditioned")
    )
    extensions: tuple[str, ...] | None = option(None, "Python files that extend the model", example="[mine/fatigue.py]")


@dataclass(frozen=True)
class StudyOptions(Options, section="study"):
    """`study.*`: how many histories, and where in the space of parameters."""

    runs: int = option(20_000, "runs, of each point or parameter set where there are several", low=1, high=10**9)
    points: int | None = option(None, "points of the design", low=1, high=10**8)
    design: str | None = option(
        None, "null: chosen by what varies", choices=("factorial", "sobol", "lhs", "random"), example="sobol"
    )
    table: Path | None = option(None, "CSV or Parquet file with one point per row", example="points.csv")
    ignore: Any = option(None, "columns of the table that are carried along unchanged", example="[id,weight]")
    draws: Any = option(
        None,
        "sweep: prior or posterior; compare, explain and report: number of parameter sets, 1 of declared values",
        example="200",
    )
    policies: Any = option(None, "named sets of overrides, crossed with every point; or a YAML file")
    outcomes: Any = option(
        None, "outcomes asked, also with a date or a threshold; a sweep keeps these and series named alone; null: all",
        example="['war by 2024-06-01']",
    )  # fmt: skip
    precision: Any = option(None, "Monte Carlo error allowed, by outcome", example="{lull_days:1}")
    max_runs: int = option(100_000, "upper limit of the runs that precision adds", low=1, high=10**9)
    accept_versions: bool | None = option(None, "resume although numba, llvmlite or numpy has another version")
    shard: Any = option(None, "make one of several shares of a sweep, which `lull merge` joins", example="3/20")


@dataclass(frozen=True)
class EngineOptions(Options, section="engine"):
    """`engine.*`: where histories are computed; no result depends on it."""

    threads: int = option(0, "threads; 0: every core", low=0, high=4096)
    cluster: str | None = option(None, "local, tcp://HOST:PORT, slurm or pbs", example="local")
    workers: int | None = option(None, "processes of a cluster that is started here", low=1, high=4096)
    job: Any = option(None, "what a job of SLURM or PBS requests", example="{queue:normal,cores:8}")


@dataclass(frozen=True)
class OutputOptions(Options, section="output", dotted=("dir", "overwrite")):
    """`output.*`: where results are written."""

    dir: Path | None = option(None, "folder of the results; null: one of its own below outputs", example="results")
    overwrite: bool = option(False, "replace results of another command")


@dataclass(frozen=True)
class CalibrationSizes(Options, section="calibration"):
    """Sizes of a calibration, `calibration.*`; observations and channels stand in the same section of their file."""

    draws: int = option(16_000_000, "prior draws of the reference table", low=1000, high=10**9)
    kept: int = option(1_500, "most posterior draws that are stored", low=10, high=10**6)
    sbc_datasets: int = option(1_000, "data sets of simulation-based calibration", low=20, high=10**6)
    hypothesis_draws: int = option(400_000, "draws of each hypothesis", low=0, high=10**9)
    rejection_draws: int = option(4_000_000, "draws of the check by rejection", low=0, high=10**9)
    predictive_runs: int = option(20_000, "runs of the posterior predictive", low=100, high=10**7)


class VerbSizes(NamedTuple):
    """How much a verb simulates where nothing is said: runs of each parameter set, and sets where they are drawn."""

    runs: int
    draws: int = 1


SIZES: Final[Mapping[str, VerbSizes]] = {
    "sweep": VerbSizes(100),
    "discover": VerbSizes(100),
    "sensitivity": VerbSizes(64),
    "compare": VerbSizes(500, 200),
    "report": VerbSizes(250, 200),
    "explain": VerbSizes(16, 64),
    "optimise": VerbSizes(16, 40),
    "app": VerbSizes(2_000),
}
"""Verbs with sizes of their own; all others take those of the configuration."""


def usual_sizes(verb: str, parameters: str | None = None) -> dict[str, int]:
    """Keys of the configuration that a verb sets where the user does not; `parameters` is where its sets come from.

    Declared values are one set with the runs of the configuration; how many sets of conditioned histories there are
    depends on the posterior.

    >>> usual_sizes("compare"), usual_sizes("explain", "defaults"), usual_sizes("run")
    ({'study.runs': 500, 'study.draws': 200}, {'study.runs': 16, 'study.draws': 1}, {})
    """
    if verb not in SIZES or parameters == "conditioned":
        return {}
    runs, draws = SIZES[verb]
    if parameters == "defaults":
        return {"study.runs": runs, "study.draws": 1} if verb == "explain" else {"study.draws": 1}
    return {"study.runs": runs} | ({"study.draws": draws} if draws > 1 else {})


SHARED: Final[tuple[type[Options], ...]] = (CallOptions, StudyOptions, CalibrationSizes, EngineOptions, OutputOptions)
OWN: Final[Mapping[str, tuple[type[Options], ...]]] = {
    "replay": (ReplayOptions,),
    "facts": (LookupOptions,),
    "parameters": (LookupOptions,),
    "scenarios": (LookupOptions,),
    "events": (LookupOptions,),
    "explain": (ExplainOptions,),
    "diff": (DiffOptions,),
    "compare": (CompareOptions,),
    "report": (ReportOptions, CompareOptions),
    "sensitivity": (SensitivityOptions,),
    "discover": (DiscoverOptions,),
    "calibrate": (CalibrateOptions,),
    "forecast": (ForecastOptions,),
    "data": (DataOptions,),
    "watch": (WatchOptions,),
    "optimise": (OptimiseOptions,),
    "case": (CaseOptions,),
    "app": (AppOptions,),
    "bench": (BenchOptions,),
    "merge": (MergeOptions,),
    "verify": (VerifyOptions,),
    "check-extension": (CheckExtensionOptions,),
}
"""The classes of options that each verb has besides the configuration."""
_ALWAYS: Final = "scenario seed extensions engine.* output.*"
READ: Final[Mapping[str, str]] = {
    "run": f"parameters study.runs study.outcomes {_ALWAYS}",
    "replay": "scenario seed parameters study.outcomes extensions output.*",
    "sweep": f"study.* {_ALWAYS}",
    "merge": "output.dir",
    "compare": "seed study.runs study.draws study.outcomes extensions engine.* output.*",
    "diff": "seed parameters extensions output.*",
    "explain": f"study.runs study.draws {_ALWAYS}",
    "report": "seed study.runs study.draws study.outcomes extensions engine.* output.*",
    "sensitivity": f"study.runs study.accept_versions {_ALWAYS}",
    "discover": f"study.* {_ALWAYS}",
    "optimise": f"study.runs study.draws {_ALWAYS}",
    "calibrate": f"calibration.* {_ALWAYS}",
    "data": "scenario output.*",
    "watch": "scenario seed study.runs extensions engine.threads output.*",
    "scenarios": "output.*",
    "events": "scenario output.*",
    "parameters": "scenario output.*",
    "facts": "output.*",
    "app": "scenario seed parameters study.runs study.outcomes",
    "verify": "",
    "check-extension": "",
}
"""Patterns of the keys of the configuration that each verb reads and its help lists; all other verbs read `_ALWAYS`."""
SIZED: Final = (StudyOptions, CalibrationSizes)
"""Sections that say what and how much is simulated: a verb refuses keys of theirs that it does not read."""


def reads(verb: str, key: str) -> bool:
    """Whether a verb reads a key of the configuration.

    >>> reads("compare", "study.runs"), reads("replay", "study.runs")
    (True, False)
    """
    return any(fnmatchcase(key, pattern) for pattern in READ.get(verb, _ALWAYS).split())


def resolved(verb: str, overrides: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The options of a verb as a command sets them, by section, and the other overrides.

    The manifest and `--cfg job` show them.
    """
    found: dict[str, Any] = {}
    for kind in OWN.get(verb, ()):
        given, overrides = kind.split(overrides)
        found[kind.section] = kind.read(given).values()
    return found, list(overrides)


def key_like(verb: str, name: str) -> str | None:
    """The key that a name such as `threads` or `sede` probably means; None where no key is near."""
    kinds = (*OWN.get(verb, ()), *SHARED)
    keys = {short: kind.key(short) for kind in reversed(kinds) for short in declared(kind)}
    keys |= {"output": "output.dir", "out": "output.dir", "config": "scenario"} | {key: key for key in keys.values()}
    near = difflib.get_close_matches(name, keys, n=1, cutoff=0.75)
    return keys[near[0]] if near else None


def help_lines(verb: str, width: int) -> list[str]:
    """The keys of a verb, and those of the configuration that it shares: meaning, default, range and example."""
    lines: list[str] = []
    for kind in OWN.get(verb, ()):
        lines += ["", "Keys of this verb" + ("" if kind.dotted else "; the part before the dot may be left out")]
        lines += _described({kind.key(name): (kind, name) for name in declared(kind)}, width)
    keys = {kind.key(name): (kind, name) for kind in SHARED for name in declared(kind)}
    keys = {key: one for key, one in keys.items() if reads(verb, key)}
    return [*lines, "", "Keys of the configuration", *_described(keys, width, usual_sizes(verb))] if keys else lines


def _described(
    keys: Mapping[str, tuple[type[Options], str]], width: int, usual: Mapping[str, int] = {}
) -> list[str]:  # fmt: skip
    """`usual` are defaults of the verb's own."""
    column = max(map(len, keys)) + 4
    lines = []
    for key, (kind, name) in keys.items():
        one, type_, _ = declared(kind)[name]
        default = usual.get(key, getattr(kind, name))
        default = f"[{','.join(default)}]" if isinstance(default, tuple) else written(default)
        facts = [f"default {default}", one.range_words(type_) if type_ is not object else ""]
        facts += [one.unit, f"e.g. {key}={one.example}" if one.example else ""]
        text = f"{one.text} ({'; '.join(filter(None, facts))})"
        below = width < column + MIN_TEXT
        indent = " " * (6 if below else column)
        wrapped = textwrap.wrap(
            text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        lines += [f"  {key}", *wrapped] if below else [f"  {key:<{column - 2}}{wrapped[0].lstrip()}", *wrapped[1:]]
    return lines
