"""Gathers the pages of the site: `python docs/pages.py FOLDER`.

The documents, the readmes of the experiments and the executed notebooks are taken as they are, so that they read as
well in the repository; only links are led to where the pages lie here. What the code can say of itself is written anew
each time: the reference of Python and of the command, scenarios and facts.
"""

import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from inspect import isclass
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any, Final, get_args, is_typeddict

import sim
from sim.cli import VERBS, Verb
from sim.model.facts import Fact, load_facts
from sim.model.scenario import scenario_names
from sim.reporting.docs_tables import ROLES, TABLES

ROOT: Final = Path(__file__).resolve().parent.parent

HOW_TO: Final = (
    "questions", "app", "cases", "own_events", "extending", "compare", "explain", "report", "watch", "sweeps",
    "cluster", "sensitivity", "discover", "optimise", "platforms",
)  # fmt: skip
EXPLANATION: Final = ("model", "calibration", "scores", "chance", "parity", "choices", "architecture")

GROUPS: Final = {
    "sim.model.scenario": "Scenarios",
    "sim.model": "Declaring what is your own",
    "sim.engine": "One history",
    "sim.commands.replay": "One history",
    "sim.experiment": "Experiments and analyses",
    "sim.analysis": "Experiments and analyses",
    "sim.reporting": "Pages and figures",
    "sim.commands": "Experiments and analyses",
}
"""Headings of the public names, by where each is defined; the first that fits decides."""

ERRORS: Final = ("sim.model.validation.UserError", "sim.experiment.sweep.store.DamagedPart")
"""What public functions raise, beside errors that Python brings."""

_LINK: Final = re.compile(r"(!?)\[((?:[^][]|\[[^][]*\])*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
_FENCED: Final = re.compile(r"^( *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A page of the site: its place there, and the file of the repository that it is, if it is one."""

    place: str
    source: str = ""
    text: str = ""


def sections() -> dict[str, list[Page]]:
    """Every section of the site with its pages, in the order of the menu."""
    notebooks = sorted((ROOT / "build" / "notebooks").glob("*.ipynb"))
    readmes = sorted((ROOT / "experiments").glob("*/README.md"))
    return {
        "Start here": [document("start")],
        "Tutorials": [
            document("tutorials"),
            *(Page(f"tutorials/{one.name}", str(one.relative_to(ROOT))) for one in notebooks),
        ],
        "How to": [document(name) for name in HOW_TO if (ROOT / "docs" / f"{name}.md").exists()],
        "Reference": [
            Page("reference/commands.md", text=command_page()),
            Page("reference/python.md", text=python_page()),
            Page("reference/rules.md", text=rule_page()),
            Page("reference/outcomes.md", text=outcome_page()),
            document("parameters"),
            Page("reference/scenarios.md", text=scenario_page()),
            Page("reference/facts.md", text=fact_page()),
            document("glossary"),
        ],
        "Explanation": [document(name) for name in EXPLANATION],
        "Experiments": [Page(f"experiments/{one.parent.name}/index.md", str(one.relative_to(ROOT))) for one in readmes],
        "Project": [Page("contributing.md", "CONTRIBUTING.md"), Page("changelog.md", "CHANGELOG.md")],
    }


def document(name: str) -> Page:
    """A page that is a document of ours."""
    return Page(f"{name}.md", f"docs/{name}.md")


# --- pages that are files -----------------------------------------------------------------------------------


def places(pages: list[Page]) -> dict[str, str]:
    """Where each file of the repository that is a page, or the folder of one, lies on the site."""
    found = {page.source: page.place for page in pages if page.source}
    found |= {str(Path(one).parent): place for one, place in found.items() if one.startswith("experiments/")}
    found |= {f"notebooks/{Path(one).stem}.py": place for one, place in found.items() if one.endswith(".ipynb")}
    return found | {"README.md": "index.md", "docs/index.md": "index.md", "notebooks": "tutorials.md"}


def led(text: str, page: Page, known: dict[str, str]) -> str:
    """The text of a page with its links led to pages of the site.

    A picture keeps its link, for it lies beside its page here too. A file that is no page is named without a link.
    """
    here = Path(page.place).parent.as_posix()

    def lead(link: re.Match[str]) -> str:
        mark, said, target, anchor = link[1], link[2], link[3], link[4] or ""
        file = normpath((Path(page.source).parent / target).as_posix())
        if mark or not (ROOT / file).exists():
            return link[0]
        return f"[{said}]({relpath(known[file], here)}{anchor})" if file in known else said

    parts = _FENCED.split(text)
    return "".join(part if _FENCED.fullmatch(part) else _LINK.sub(lead, part) for part in parts)


def pictures(page: Page) -> Iterator[tuple[Path, str]]:
    """The pictures that a page shows, and where they lie on the site."""
    for link in _LINK.finditer((ROOT / page.source).read_text(encoding="utf-8")):
        if link[1]:
            yield (ROOT / page.source).parent / link[3], normpath((Path(page.place).parent / link[3]).as_posix())


# --- pages that the code writes -----------------------------------------------------------------------------


def command_page() -> str:
    """Every verb of the command: what it does, how it is called, where it is explained."""
    parts = [
        "# The command",
        "`lull VERB [key=value ...]`. Any key of the configuration can be set: `scenario=tight_leash`, `seed=7`,"
        " `study.runs=100000`, `output.dir=somewhere`, `militia.nujaba_iraq.autonomy=0.9`, `mechanisms.fear=false`.",
        "| Option | What it does |\n|---|---|\n"
        "| `--config-dir DIR` | find scenarios, actors, timelines of your own in `DIR/scenario/*.yaml` and so on |\n"
        "| `--cfg job` | print the configuration instead of running; also `hydra` and `all` |\n"
        "| `--info` | how the configuration is composed |\n"
        "| `-m`, `--multirun` | one run for each combination: `lull run -m seed=1,2,3` |\n"
        "| `-sc install=bash` | print the shell's completion script (bash, zsh or fish) |\n"
        "| `--version`, `--help` | also `lull VERB --help` |",
        "A mistake is reported in one line with the key, the value and what is allowed. Exit codes: 0 done;"
        " 1 a verified folder differs; 2 a mistake in what was asked for; 130 interrupted; 143 terminated.",
        *(_verb(name, verb) for name, verb in VERBS.items()),
    ]
    return "\n\n".join(parts)


def _verb(name: str, verb: Verb) -> str:
    shown = [path for path in documents() if re.search(rf"^lull {name}\b", path.read_text(encoding="utf-8"), re.M)]
    links = ", ".join(f"[{_title(path)}](../{path.name})" for path in shown)
    called = f"    lull {name}{f' {verb.usage}' if verb.usage else ''} [key=value ...]"
    told = f"{verb.text[0].upper()}{verb.text[1:]}."
    return "\n\n".join([f"## lull {name}", told, called, *([f"Used in: {links}."] if links else [])])


def documents() -> list[Path]:
    """The documents that are pages under their own names."""
    return [path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "index.md"]


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def python_page() -> str:
    """The public names, under a heading for what they are there for."""
    groups: dict[str, list[str]] = {"Studies": [], "Scenarios": [], "One history": []}
    for name in sim.__all__:
        if name != "__version__":
            groups.setdefault(_group(name), []).append(f"sim.{name}")
    opening = (
        "# Python\n\nEverything public is imported from `sim`. Nothing else is promised to stay. Results are arrays"
        " with names (xarray) or tables (pandas); the unit of a variable is in its attribute `units`."
    )
    groups["What comes back, and errors"] = [*_handed(), *ERRORS]
    return "\n\n".join([opening, *(f"## {title}\n\n{_summary(own)}" for title, own in groups.items() if own)])


def _summary(names: list[str]) -> str:
    """A table of public names, each with a page of its own."""
    rows = "\n".join(f"   {name}" for name in names)
    return f"```{{eval-rst}}\n.. autosummary::\n   :toctree: python\n   :nosignatures:\n\n{rows}\n```"


def _group(name: str) -> str:
    home = getattr(sim, name).__module__
    return next(title for start, title in GROUPS.items() if home.startswith(start))


def _handed() -> list[str]:
    """The classes of ours that public functions take or give but that are not public by name."""
    public = [getattr(sim, name) for name in sim.__all__]
    found = {
        f"{one.__module__}.{one.__qualname__}": None
        for shown in public
        if callable(shown)
        for one in _classes(_hints(shown))
        if one.__module__.startswith("sim.") and one not in public and not is_typeddict(one)
    }
    return sorted(found, key=lambda name: name.rpartition(".")[2])


def _hints(shown: Any) -> Iterator[Any]:
    """What the arguments and the result of a function or class are said to be, as far as it can be looked up there."""
    called = shown.__init__ if isclass(shown) else shown
    for said in getattr(called, "__annotations__", {}).values():
        # What is imported for checkers alone is another library's.
        with suppress(NameError):
            yield eval(said, called.__globals__) if isinstance(said, str) else said


def _classes(hints: Iterable[Any]) -> Iterator[type]:
    for hint in hints:
        inside = hint if isinstance(hint, list) else get_args(hint)
        if isclass(hint) and not inside:
            yield hint
        yield from _classes(inside)


def rule_page() -> str:
    """The rules of the day, role by role."""
    parts = [
        "# Rules\n\nThe equations of the model, one pure function each; both engines call the same ones. Each has a"
        " formula, the units of its arguments, its source and a worked value, which is tested. [The model](../model.md)"
        " tells how they work together, [Your own](../extending.md) how to put one of yours in place of one of them."
    ]
    for module in ROLES:
        name = module.__name__
        parts.append(
            f"## {name.rpartition('.')[2].capitalize()}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```"
        )
    return "\n\n".join(parts)


def outcome_page() -> str:
    """What is kept of every history."""
    return (
        "# Outcomes\n\nOne number for each history. Days are day numbers, -1 where the thing did not happen."
        " Heavy-tailed ones are summarised by quantiles and exceedance, never by a mean with its error. *Prior-driven*:"
        f" assumptions, not the figures of the article, decide it.\n\n{TABLES['outcomes']().to_markdown()}"
    )


def scenario_page() -> str:
    """The shipped scenarios: question, and the file as it is."""
    opening = "# Scenarios\n\nEvery scenario is a short file with a question; `lull scenarios` lists them."
    parts = [opening, TABLES["scenarios"]().to_markdown()]
    for one in scenario_names():
        source = (ROOT / "configs" / "scenario" / f"{one.name}.yaml").read_text(encoding="utf-8")
        parts.append(f"## {one.name}\n\n{one.question}\n\n```yaml\n{source}```")
    return "\n\n".join(parts)


def fact_page() -> str:
    """What the article reports, and what stands for it."""
    opening = (
        "# Facts\n\nWhat the article of February 2024 reports, one fact each in our words, and what in the model stands"
        " for it; `lull facts` prints the same. A test follows every link."
    )
    return "\n\n".join([opening, *map(_fact, load_facts())])


def _fact(fact: Fact) -> str:
    when = f" {fact.date}." if fact.date else ""
    figure = f" {fact.figure:g} {fact.unit}." if fact.figure is not None else ""
    links = {
        "Parameters": fact.modelled_by.get("parameter", ()),
        "Rules": [name.removeprefix("sim.rules.") for name in fact.modelled_by.get("rule", ())],
        "Scenarios": fact.modelled_by.get("scenario", ()),
        "Outcomes and patterns": fact.modelled_by.get("output", ()),
    }
    told = "\n".join(f"- {kind}: {', '.join(f'`{one}`' for one in names)}" for kind, names in links.items() if names)
    return f"## {fact.id}\n\n{fact.text.strip()}\n\n*{fact.kind.capitalize()}.{figure}{when}*\n\n{told}"


# --- all of it ----------------------------------------------------------------------------------------------


def gather(folder: Path) -> list[str]:
    """Write all pages into an empty folder, the first page with the menu; their places."""
    shutil.rmtree(folder, ignore_errors=True)
    menu = sections()
    pages = [page for own in menu.values() for page in own]
    known = places(pages)
    for page in (Page("index.md", "docs/index.md"), *pages):
        path = folder / page.place
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".ipynb":
            shutil.copy(ROOT / page.source, path)
            continue
        text = led((ROOT / page.source).read_text(encoding="utf-8"), page, known) if page.source else page.text
        path.write_text(f"{text}\n{_menu(menu) if page.place == 'index.md' else ''}", encoding="utf-8")
        for picture, place in pictures(page) if page.source else ():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, folder / place)
    return [page.place for page in pages]


def _menu(menu: dict[str, list[Page]]) -> str:
    trees = (
        f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(page.place for page in pages) + "\n```"
        for title, pages in menu.items()
    )
    return "\n" + "\n\n".join(trees) + "\n"


if __name__ == "__main__":
    print(f"{len(gather(Path(sys.argv[1])))} pages in {sys.argv[1]}")
