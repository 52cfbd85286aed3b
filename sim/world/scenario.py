"""From overrides to a scenario that engines can run: the world as one frozen, checked object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sim.world.actors import Cast
from sim.world.aliases import current_overrides, current_tree
from sim.world.cast_reader import cast_of
from sim.world.checks import Section
from sim.world.compose import Tree, compose_tree, config_folders, group_file, merged, options, read_group_file
from sim.world.errors import UserError, one_of
from sim.world.extension import UNEXTENDED, Extended, Extension
from sim.world.extension.extended import extended_of
from sim.world.extension.reader import asked_for, extended_tree, own_overrides
from sim.world.mechanisms import MECHANISM_NAMES, Mechanisms
from sim.world.parameters import Parameters, declared, shared_groups
from sim.world.patterns import Pattern, patterns_of
from sim.world.schema import ENGINE_KEYS, STUDY_KEYS, TOP_KEYS
from sim.world.timeline import Calendar, Event, acts, daily, parted, until
from sim.world.timeline_reader import calendar_of, day_in, events_of

MOST_RUNS = 10**9
MOST_THREADS = 4096
RUNG_COUNT = 7
START = "start"
"""How a scenario says that it departs on the first day, whatever its date."""

DEFAULTS = "defaults"
POSTERIOR = "posterior"
_PARAMETERS_FROM = (DEFAULTS, POSTERIOR)
_SCENARIO_KEYS = ("question", "departs")
_OUTPUT_KEYS = ("dir", "overwrite")


@dataclass(frozen=True)
class Scenario:
    """One world: who acts, by which numbers, under which events, and from which day history is free.

    `departs` is the day from which the scenario differs from its baseline (None: never), `free_from` the day from
    which the pinned history no longer holds (None: it always holds), `rungs` the names of the ladder from 0 to 6.
    `extended` is what a user adds to the model.
    """

    name: str
    question: str
    departs: int | None
    parameters: Parameters
    mechanisms: Mechanisms
    cast: Cast
    calendar: Calendar
    events: tuple[Event, ...]
    pins: tuple[Event, ...]
    free_from: int | None
    rungs: tuple[str, ...]
    extended: Extended = UNEXTENDED

    def standing_events(self) -> tuple[Event, ...]:
        """What `daily` is to be told: first the pins that still hold, then the events, which have the last word."""
        return (*until(self.pins, self.free_from), *self.events)


@dataclass(frozen=True)
class Config:
    """A scenario and how it is to be run; `tree` is the resolved configuration that all of it was read from.

    `overwrite`: the results of another command that lie in the folder are replaced.
    """

    scenario: Scenario
    seed: int
    runs: int
    threads: int
    output_dir: Path | None
    parameters_from: str
    patterns: tuple[Pattern, ...]
    tree: Tree = field(repr=False, compare=False)
    overwrite: bool = False


@dataclass(frozen=True)
class Card:
    """What a scenario file says about itself; `departs` as written there, None for never."""

    name: str
    question: str
    departs: str | None


def load(
    overrides: Sequence[str] = (),
    config_dir: Path | str | None = None,
    extensions: Sequence[Extension | Path | str] = (),
) -> Config:
    """Compose and check a configuration.

    Args:
        overrides: Hydra overrides, such as `scenario=tight_leash` or `militia.nujaba_iraq.autonomy=0.9`.
        config_dir: a folder with files of the user's own, laid out as ours.
        extensions: what the user adds to the model, or files that define it; those of a key `extensions` come first.

    Raises:
        UserError: anything the user wrote that cannot be used; one line.
    """
    overrides = current_overrides(overrides)
    added = asked_for(overrides, extensions)
    own, others = own_overrides(overrides, added)
    tree, choices = compose_tree(others, None if config_dir is None else Path(config_dir))
    tree = current_tree(tree, others)
    documented = _documented(tree, choices, None if config_dir is None else Path(config_dir))
    config = config_of(_marked(extended_tree(tree, own, added), documented), choices["scenario"], added)
    _refuse_silent(config, documented)
    return config


def overlay(config: Config, name: str, config_dir: Path | str | None = None) -> Config:
    """The configuration with what another scenario file changes put on top of it.

    The question and the day of departure become those of the file; all else that it does not name stays.

    Raises:
        UserError: there is no such file, or it brings a case of its own and cannot be put on another.
    """
    files = options("scenario", config_folders(None if config_dir is None else Path(config_dir)))
    if name not in files:
        raise UserError("scenario", name, one_of(files, name))
    changes = read_group_file(files[name])
    if "defaults" in changes:
        raise UserError("scenario", name, "scenarios that bring no case of their own")
    bare = {**config.tree, "scenario": {}}
    found = config_of(
        _marked(merged(bare, current_tree(changes)), config.tree), name, config.scenario.extended.extensions
    )
    _refuse_silent(found, config.tree)
    return found


_TIMES = ("events", "history")


def _documented(tree: Tree, choices: Mapping[str, str], config_dir: Path | None) -> Tree:
    """The tree with events as the files of timeline and history have them, without what changes or adds to them."""
    said = {key: one for key, one in tree.items() if key not in _TIMES}
    for group in ("timeline", "history"):
        content = group_file(group, choices[group], config_dir)
        said = merged(said, {key: content[key] for key in _TIMES if key in content})
    return said


def _own(tree: Tree, documented: Tree, key: str) -> frozenset[str]:
    """Names of events under a key that a scenario or the command line brings or changes."""
    here, there = (_events_under(one, key) for one in (tree, documented))
    return frozenset(name for name, given in here.items() if given != there.get(name))


def _events_under(tree: Tree, key: str) -> Mapping[str, Any]:
    found: Any = tree
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _marked(tree: Tree, documented: Tree) -> Tree:
    """The tree in which events of history that are not the documented ones are called interventions."""
    own = _own(tree, documented, "history.events")
    if not own:
        return tree
    events = {
        name: {**one, "intervention": one.get("intervention", True)}
        if name in own and isinstance(one, Mapping)
        else one
        for name, one in tree["history"]["events"].items()
    }
    return {**tree, "history": {**tree["history"], "events": events}}


def _refuse_silent(config: Config, documented: Tree) -> None:
    """Refuse an event of the user's that changes nothing, because others replace it on each of its days."""
    scenario, own = config.scenario, _own(config.tree, documented, "events")
    mine = [one for one in (*scenario.pins, *scenario.events) if one.intervention or one.id in own]
    days = daily(scenario.calendar, scenario.standing_events(), scenario.cast) if mine else ()
    acting = {one.id for one in mine if acts(one, days, scenario.cast)}
    for one in mine:
        if one.id not in acting:
            key = f"{'history.' if one.intervention else ''}events.{one.id}"
            allowed = "days on one of which no event further down says otherwise: here it cannot act"
            raise UserError(key, scenario.calendar.date_of(one.first), allowed)


def scenario_names(config_dir: Path | str | None = None) -> tuple[Card, ...]:
    """All scenario files by name, with their questions and days of departure."""
    files = options("scenario", config_folders(None if config_dir is None else Path(config_dir)))
    return tuple(_card(name, read_group_file(path)) for name, path in files.items())


def config_of(tree: Tree, name: str, extensions: tuple[Extension, ...] = ()) -> Config:
    """Check a composed configuration and freeze it; `name` is that of its scenario file.

    Raises:
        UserError: a key is unknown or missing, or a value is not allowed.
    """
    added = [one.name for extension in extensions for one in extension.mechanisms]
    top = Section("", tree, (*TOP_KEYS, *added))
    scenario = _scenario(tree, name, extensions)
    return Config(
        scenario=scenario,
        seed=top.whole("seed", 0, 2**64 - 1),
        runs=_section(tree, "study", STUDY_KEYS).whole("runs", 1, MOST_RUNS),
        threads=_section(tree, "engine", ENGINE_KEYS).whole("threads", 0, MOST_THREADS),
        output_dir=_folder(tree),
        parameters_from=top.choice("parameters", _PARAMETERS_FROM),
        patterns=patterns_of(tree, scenario.cast),
        tree=tree,
        overwrite=_overwrite(tree),
    )


def _scenario(tree: Tree, name: str, extensions: tuple[Extension, ...]) -> Scenario:
    extended = extended_of(tree, extensions)
    cast = cast_of(tree)
    calendar = calendar_of(tree)
    about = _section(tree, "scenario", _SCENARIO_KEYS)
    history = _section(tree, "history", ("events", "free_from"))
    departs = _day_or_none(about, "departs", calendar)
    free_from = _day_or_none(history, "free_from", calendar)
    free_from = departs if free_from is None else free_from
    events = events_of("events", tree.get("events"), calendar, cast)
    pins, late = parted(events_of("history.events", history.raw("events", "a mapping"), calendar, cast), free_from)
    return Scenario(
        name=name,
        question=about.text("question"),
        departs=departs,
        parameters=_parameters(tree),
        mechanisms=_mechanisms(tree, [one.name for one in extended.mechanisms]),
        cast=cast,
        calendar=calendar,
        events=(*events, *late),
        pins=pins,
        free_from=free_from,
        rungs=_rungs(tree),
        extended=extended,
    )


def _section(tree: Mapping[str, Any], key: str, names: Sequence[str]) -> Section:
    return Section(key, tree.get(key), names)


def _day_or_none(section: Section, name: str, calendar: Calendar) -> int | None:
    given = section.raw(name, "a date, a day number, start or null") if section.has(name) else None
    if given is None:
        return None
    return 0 if given == START else day_in(section, name, calendar)


def _parameters(tree: Tree) -> Parameters:
    groups: dict[str, Any] = {}
    for key, group in shared_groups():
        section = _section(tree, key, [one.name for one in fields(group)])
        groups[key] = group(**{name: section.number(name, one.low, one.high) for name, one in declared(group)})
    return Parameters(**groups)


def _mechanisms(tree: Tree, added: Sequence[str]) -> Mechanisms:
    section = _section(tree, "mechanisms", (*MECHANISM_NAMES, *added))
    return Mechanisms(**{name: section.flag(name) for name in MECHANISM_NAMES})


def _rungs(tree: Tree) -> tuple[str, ...]:
    rungs = Section("", {"rungs": tree.get("rungs")}, ("rungs",)).texts("rungs")
    if len(rungs) != RUNG_COUNT:
        raise UserError("rungs", list(rungs), f"{RUNG_COUNT} names, from the lowest rung to war")
    return rungs


def _folder(tree: Tree) -> Path | None:
    section = _section(tree, "output", _OUTPUT_KEYS)
    return None if section.raw("dir", "a folder or null") is None else Path(section.text("dir"))


def _overwrite(tree: Tree) -> bool:
    section = _section(tree, "output", _OUTPUT_KEYS)
    return section.has("overwrite") and section.flag("overwrite")  # configurations of before have none


def _card(name: str, content: Mapping[str, Any]) -> Card:
    about = Section(f"scenario/{name}: scenario", content.get("scenario"), _SCENARIO_KEYS)
    departs = about.raw("departs", "a date, a day number, start or null") if about.has("departs") else None
    return Card(name, about.text("question"), None if departs is None else str(departs))
