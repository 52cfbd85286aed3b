"""From overrides to a scenario that engines can run: the world as one frozen, checked object."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache, reduce
from pathlib import Path
from typing import Any, Final

from sim.model.aliases import current_overrides, current_tree
from sim.model.cast import Cast, cast_of
from sim.model.conditions import Condition, read
from sim.model.declared_outcomes import DERIVED, RECORDED
from sim.model.extension import (
    NO_EXTENSIONS,
    ActiveExtensions,
    Extension,
    extended_of,
    extended_tree,
    requested_extensions,
    split_overrides,
)
from sim.model.hydra_config import (
    ENGINE_KEYS,
    STUDY_KEYS,
    TOP_KEYS,
    Tree,
    compose_tree,
    config_folders,
    group_file,
    merge_trees,
    named_file,
    options,
    read_group_file,
)
from sim.model.interventions import EXAMPLES, MOVE, moved, read_event, spoken
from sim.model.parameters import (
    MECHANISM_NAMES,
    Declaration,
    Mechanisms,
    Parameters,
    Theatre,
    Wing,
    group_declarations,
    shared_declarations,
    shared_groups,
)
from sim.model.patterns import Pattern, patterns_of
from sim.model.timeline import (
    Calendar,
    Event,
    calendar_of,
    daily,
    day_in,
    events_of,
    has_effect,
    last_day,
    pins_before,
    split_pins,
)
from sim.model.validation import Section, UserError, one_of

MOST_RUNS = 10**9
MOST_THREADS = 4096
RUNG_COUNT = 7
START = "start"
"""How a scenario says that it departs on the first day, whatever its date."""

DEFAULTS = "defaults"
POSTERIOR = "posterior"
CONDITIONED = "conditioned"
"""Where shared parameters come from: the declared values, draws of the posterior, or these with their histories, which
reproduced the observations, up to the report."""
INTERVENTIONS: Final = "interventions"
_SCENARIO_KEYS = ("title", "question", "departs")
_CHANGE_KEYS = ("parameter", "value", "from", "to", "source")
DEPARTS = "departs"
"""How a change of a parameter says that it begins on the day on which the scenario departs."""


@dataclass(frozen=True)
class ParameterChange:
    """A parameter, by its full key, that has another value on the days from `first` to `last`, both included."""

    id: str
    key: str
    value: float
    first: int
    last: int


@dataclass(frozen=True)
class Scenario:
    """One world: who acts, by which numbers, under which events, and from which day history is free.

    `departs` is the day from which the scenario differs from its baseline (None: never), `free_from` the day from
    which the pinned history no longer holds (None: it always holds), `rungs` the names of the ladder from 0 to 6.
    `extended` is what a user adds to the model, `changes` are parameters that change in the course of a history,
    `asked` conditions that a user asks of it, which change nothing; `named` are these and outcomes asked by name.
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
    extended: ActiveExtensions = NO_EXTENSIONS
    changes: tuple[ParameterChange, ...] = ()
    asked: tuple[Condition, ...] = ()
    named: tuple[str, ...] = field(default=(), compare=False)

    @property
    def title(self) -> str:
        """The scenario in a few words."""
        return scenario_title(self.name)

    def number(self, key: str) -> float:
        """The value of a parameter of the case, of a theatre, of a wing or of an extension by its full key.

        >>> load(["patron.control=0.5"]).scenario.number("patron.control")
        0.5
        """
        if key in self.extended.values:
            return self.extended.values[key]
        kind, _, rest = key.partition(".")
        group: Any = {"theatre": self.cast.theatres, "militia": self.cast.wings}.get(kind)
        if group is None:
            return float(getattr(getattr(self.parameters, kind), rest))
        actor, _, name = rest.partition(".")
        return float(getattr(group[actor], name))

    def declarations(self) -> dict[str, Declaration]:
        """Declarations of all parameters of the case, its theatres, wings and extensions by full key."""
        found = shared_declarations() | self.extended.declarations
        for group, names, kind in (("theatre", self.cast.theatres, Theatre), ("militia", self.cast.wings, Wing)):
            found |= {f"{group}.{one}.{name}": declared for one in names for name, declared in group_declarations(kind)}
        return found

    def stages(self) -> dict[int, dict[str, float]]:
        """Parameters that have another value, by the first day on which they do, until the next of these days.

        Of changes that overlap the later one in the list decides. Day 0 is always there.
        """
        bounds = {0, *(one.first for one in self.changes), *(one.last + 1 for one in self.changes)}
        days = sorted(day for day in bounds if day < self.calendar.days)
        return {day: {one.key: one.value for one in self.changes if one.first <= day <= one.last} for day in days}

    def standing_events(self) -> tuple[Event, ...]:
        """The events that `daily` reads: first the pins that still hold, then the events, which come after them."""
        return (*pins_before(self.pins, self.free_from), *self.events)


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

    @property
    def calibrated(self) -> bool:
        """Whether the case comes with observations that its parameters can be, or were, calibrated to."""
        return bool(self.tree["calibration"].get("observations"))


@dataclass(frozen=True)
class Card:
    """What a scenario file says about itself; `departs` as written there, None for never."""

    name: str
    title: str
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
    overrides, folder = current_overrides(overrides), _path(config_dir)
    added = requested_extensions(overrides, extensions)
    own, others = split_overrides(overrides, added)
    tree, choices = compose_tree(others, folder)
    tree = _with_interventions(_untitled(current_tree(tree, others)), choices["scenario"])
    documented = _documented(tree, choices, folder)
    return _checked(extended_tree(tree, own, added), documented, choices["scenario"], added)


def overlay(config: Config, name: str, config_dir: Path | str | None = None) -> Config:
    """The configuration with what another scenario file changes put on top of it.

    The question and the day of departure become those of the file; all else that it does not name stays.

    Raises:
        UserError: there is no such file, or it brings a case of its own and cannot be put on another.
    """
    changes = _untitled(read_group_file(named_file("scenario", name, _path(config_dir))))
    if "defaults" in changes:
        raise UserError("scenario", name, "scenarios that bring no case of their own")
    tree = merge_trees({**config.tree, "scenario": {}}, current_tree(changes))
    return _checked(tree, config.tree, name, config.scenario.extended.extensions)


def scenario_title(name: str) -> str:
    """A scenario in a few words: the title in the file that comes with the package, else its name.

    >>> scenario_title("no_us_strikes"), scenario_title("of_my_own")
    ('No US strikes', 'Of my own')
    """
    return _shipped_title(name) or _from_name(name)


def titled(label: str) -> str:
    """A compared scenario by its title, with the changes made to it.

    >>> titled("no_us_strikes"), titled("article;patron.control=0.9"), titled("article, nothing pinned")
    ('No US strikes', 'Documented history; patron.control=0.9', 'Documented history, nothing pinned')
    """
    name = re.split("[;,]", label, maxsplit=1)[0]
    return f"{scenario_title(name)}{re.sub('; *', '; ', label[len(name) :])}"


def keyed_title(label: str) -> str:
    """The same with the key in parentheses, for a reader who may want to type it.

    >>> keyed_title("tight_leash")
    'Tight leash (tight_leash)'
    """
    return f"{titled(label)} ({label})"


@cache
def _shipped_title(name: str) -> str | None:
    path = options("scenario", config_folders(None)).get(name)
    return None if path is None else _card(name, path).title


def _from_name(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _untitled(tree: Tree) -> Tree:
    """The tree without the title of the scenario: it names a configuration and is no part of it."""
    about = tree.get("scenario")
    if not isinstance(about, Mapping) or "title" not in about:
        return tree
    return {**tree, "scenario": {key: value for key, value in about.items() if key != "title"}}


def _with_interventions(tree: Tree, scenario: str) -> Tree:
    """The tree with the events that `interventions` asks for in words; it departs with the first of them at the latest.

    Raises:
        UserError: one cannot be read, or is asked for twice.
    """
    if not tree.get("interventions"):
        return tree
    calendar, cast, events, about = calendar_of(tree), cast_of(tree), dict(tree["events"]), dict(tree["scenario"])
    departs = _day_or_none(_section(tree, "scenario", _SCENARIO_KEYS), "departs", calendar)
    days = [] if departs is None else [departs]
    for text in _interventions(tree):
        if MOVE in text:
            continue  # the scenario that all this makes says which days an event has
        name, waiting = text.strip(), [key for key, one in events.items() if one.get("enabled") is False]
        if name in waiting:
            event = {**events.pop(name), "enabled": True}
        elif name.isidentifier():
            raise UserError(INTERVENTIONS, text, f"{one_of(waiting, name)}; or an event such as {EXAMPLES['order']}")
        else:
            name, event = read_event(text, calendar, cast, INTERVENTIONS)
        if name in events:
            raise UserError(INTERVENTIONS, text, "each once")
        events[name] = event  # the last one: it decides
        days.append(day_in(Section("events", event, list(event)), "from", calendar))
    asked = ", ".join(map(spoken, _interventions(tree)))
    about |= {
        "question": f"{scenario_title(scenario)} with {asked}: how does it go on?",
        "departs": str(calendar.date_of(min(days))) if days else None,
    }
    return {**tree, "events": events, "scenario": about}


def _interventions(tree: Tree) -> tuple[str, ...]:
    """The interventions in words."""
    if not tree.get(INTERVENTIONS):
        return ()
    return Section("", {INTERVENTIONS: tree[INTERVENTIONS]}, (INTERVENTIONS,)).texts(INTERVENTIONS)


def _path(config_dir: Path | str | None) -> Path | None:
    return None if config_dir is None else Path(config_dir)


def _documented(tree: Tree, choices: Mapping[str, str], config_dir: Path | None) -> Tree:
    """The tree with events as the files of timeline and history have them, without what changes or adds to them."""
    times = ("events", "history")
    documented = {key: value for key, value in tree.items() if key not in times}
    for group in ("timeline", "history"):
        content = current_tree(group_file(group, choices[group], config_dir))
        documented = merge_trees(documented, {key: content[key] for key in times if key in content})
    return documented


def _changed_events(tree: Tree, documented: Tree, *path: str) -> frozenset[str]:
    """Names of events under a path of keys that a scenario or the command line brings or changes."""

    def events(found: Any) -> Mapping[str, Any]:
        for part in path:
            found = found.get(part) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    before = events(documented)
    return frozenset(name for name, given in events(tree).items() if given != before.get(name))


def _checked(tree: Tree, documented: Tree, name: str, extensions: tuple[Extension, ...]) -> Config:
    """The configuration, in which changed events of history are interventions and every changed event acts."""
    if changed := _changed_events(tree, documented, "history", "events"):
        events = {
            event: {**given, "intervention": given.get("intervention", True)}
            if event in changed and isinstance(given, Mapping)
            else given
            for event, given in tree["history"]["events"].items()
        }
        tree = {**tree, "history": {**tree["history"], "events": events}}
    config = config_of(tree, name, extensions)
    _refuse_ineffective(config.scenario, _changed_events(tree, documented, "events"))
    return config


def _refuse_ineffective(scenario: Scenario, changed: frozenset[str]) -> None:
    """Refuse an event of the user's that changes nothing, because others replace it on each of its days."""
    own = [event for event in (*scenario.pins, *scenario.events) if event.intervention or event.id in changed]
    days = daily(scenario.calendar, scenario.standing_events(), scenario.cast) if own else ()
    effective = {event.id for event in own if has_effect(event, days, scenario.cast)}
    for event in own:
        if event.id not in effective:
            key = f"{'history.' if event.intervention else ''}events.{event.id}"
            allowed = "days on one of which no event further down says otherwise: here it cannot act"
            raise UserError(key, scenario.calendar.date_of(event.first), allowed)


def scenario_names(config_dir: Path | str | None = None) -> tuple[Card, ...]:
    """All scenario files by name, with their questions and days of departure."""
    files = options("scenario", config_folders(_path(config_dir)))
    return tuple(_card(name, path) for name, path in files.items())


def _card(name: str, path: Path) -> Card:
    about = Section(f"scenario/{name}: scenario", read_group_file(path).get("scenario"), _SCENARIO_KEYS)
    title = about.text("title") if about.has("title") else _from_name(name)
    departs = _departure(about, "departs")
    return Card(name, title, about.text("question"), None if departs is None else str(departs))


def config_of(tree: Tree, name: str, extensions: tuple[Extension, ...] = ()) -> Config:
    """Check a composed configuration and freeze it; `name` is that of its scenario file.

    Raises:
        UserError: a key is unknown or missing, or a value is not allowed.
    """
    added = [mechanism.name for extension in extensions for mechanism in extension.mechanisms]
    top = Section("", tree, (*TOP_KEYS, *added))
    scenario = _scenario(tree, name, extensions)
    output = _section(tree, "output", ("dir", "overwrite"))
    return Config(
        scenario=scenario,
        seed=top.whole("seed", 0, 2**64 - 1),
        runs=_section(tree, "study", STUDY_KEYS).whole("runs", 1, MOST_RUNS),
        threads=_section(tree, "engine", ENGINE_KEYS).whole("threads", 0, MOST_THREADS),
        output_dir=None if output.raw("dir", "a folder or null") is None else Path(output.text("dir")),
        parameters_from=top.choice("parameters", (DEFAULTS, POSTERIOR, CONDITIONED)),
        patterns=patterns_of(tree, scenario.cast),
        tree=tree,
        overwrite=output.has("overwrite") and output.flag("overwrite"),  # older configurations have none
    )


def _scenario(tree: Tree, name: str, extensions: tuple[Extension, ...]) -> Scenario:
    cast = cast_of(tree)
    extended = replace(extended_of(tree, extensions), theatres=tuple(cast.theatres), wings=tuple(cast.wings))
    calendar = calendar_of(tree)
    about = _section(tree, "scenario", _SCENARIO_KEYS)
    history = _section(tree, "history", ("events", "free_from"))
    departs, free_from = _day_or_none(about, "departs", calendar), _day_or_none(history, "free_from", calendar)
    free_from = departs if free_from is None else free_from
    events = events_of("events", tree.get("events"), calendar, cast)
    pins, late = split_pins(events_of("history.events", history.raw("events", "a mapping"), calendar, cast), free_from)
    groups = {
        key: _numbers(_section(tree, key, [field.name for field in fields(group)]), group)
        for key, group in shared_groups()
    }
    switches = _section(tree, "mechanisms", (*MECHANISM_NAMES, *(added.name for added in extended.mechanisms)))
    rungs = Section("", {"rungs": tree.get("rungs")}, ("rungs",)).texts("rungs")
    if len(rungs) != RUNG_COUNT:
        raise UserError("rungs", list(rungs), f"{RUNG_COUNT} names, from the lowest rung to war")
    scenario = Scenario(
        name=name,
        question=about.text("question"),
        departs=departs,
        parameters=Parameters(**groups),
        mechanisms=Mechanisms(**{mechanism: switches.flag(mechanism) for mechanism in MECHANISM_NAMES}),
        cast=cast,
        calendar=calendar,
        events=(*events, *late),
        pins=pins,
        free_from=free_from,
        rungs=rungs,
        extended=extended,
    )
    study = _section(tree, "study", STUDY_KEYS)
    if study.has("outcomes") and study.raw("outcomes", "") is not None:
        scenario, named = asking(scenario, study.texts("outcomes"), "study.outcomes")
        scenario = replace(scenario, named=named)
    scenario = replace(scenario, changes=_changes(tree, scenario)) if tree.get("changes") else scenario
    moves = [one for one in _interventions(tree) if MOVE in one]
    if twice := [one for one in moves if moves.count(one) > 1]:
        raise UserError(INTERVENTIONS, twice[0], "each once")
    whole = reduce(lambda now, text: moved(now, text, INTERVENTIONS), moves, scenario)
    return whole if history.raw("free_from", "") is None else replace(whole, free_from=free_from)


def asking(scenario: Scenario, texts: Sequence[str], key: str) -> tuple[Scenario, tuple[str, ...]]:
    """The scenario with the conditions among some texts, and the names of all outcomes that the texts ask for.

    Raises:
        UserError: a text is neither the name of an outcome nor a condition; `key` is where it was written.
    """
    units = {one.name: one.unit for one in (*RECORDED, *DERIVED, *scenario.extended.outcomes)}
    series = [one.name for one in scenario.extended.series]
    names, found = [], list(scenario.asked)
    for name in texts:
        if name not in units and name not in series:
            found.append(read(name, units, scenario.calendar, scenario.cast, key, series))
            name = found[-1].text
        names.append(name)
    return replace(scenario, asked=tuple(dict.fromkeys(found))), tuple(names)


def _changes(tree: Tree, scenario: Scenario) -> tuple[ParameterChange, ...]:
    """Changes of parameters, in their order."""
    found, known, calendar = [], scenario.declarations(), scenario.calendar
    sections = Section("", {"changes": tree["changes"]}, ("changes",)).sections("changes", _CHANGE_KEYS)
    for name, section in sections.items():
        key = section.choice("parameter", known)
        departing = section.has("from") and section.raw("from", "") == DEPARTS
        if departing and scenario.departs is None:
            raise UserError(section.full("from"), DEPARTS, "a date or the number of a day: this scenario never departs")
        first = scenario.departs if departing and scenario.departs is not None else day_in(section, "from", calendar)
        if known[key].first_day and first > 0:
            raise UserError(section.full("parameter"), key, "one that acts after the first day: this one cannot")
        value = section.number("value", known[key].low, known[key].high)
        found.append(ParameterChange(name, key, value, first, last_day(section, first, calendar, calendar.days - 1)))
        if section.has("source"):
            section.text("source")
    return tuple(found)


def _section(tree: Mapping[str, Any], key: str, names: Sequence[str]) -> Section:
    return Section(key, tree.get(key), names)


def _numbers(section: Section, group: type) -> Any:
    return group(**{name: section.number(name, one.low, one.high) for name, one in group_declarations(group)})


def _departure(section: Section, name: str) -> Any:
    return section.raw(name, "a date, a day number, start or null") if section.has(name) else None


def _day_or_none(section: Section, name: str, calendar: Calendar) -> int | None:
    given = _departure(section, name)
    if given is None:
        return None
    return 0 if given == START else day_in(section, name, calendar)


@dataclass(frozen=True)
class Row:
    """One parameter as it stands in a configuration."""

    key: str
    title: str
    symbol: str
    value: float
    unit: str
    low: float
    high: float
    prior: str
    provenance: str
    source: str
    text: str


def event_rows(config: Config) -> list[dict[str, Any]]:
    """The events of a configuration as written, first those of the timeline, then those of the documented record."""
    parts = {"timeline": config.tree["events"], "record": config.tree["history"]["events"]}
    return [{"name": name, "of": part, **one} for part, events in parts.items() for name, one in events.items()]


def parameter_rows(scenario: Scenario) -> list[Row]:
    """All parameters of a scenario: shared ones, then those of theatres and wings in order, then of extensions."""
    cast, extended = scenario.cast, scenario.extended
    found = [(key, one, scenario.number(key), cast.shared_source(one)) for key, one in shared_declarations().items()]
    for prefix, places, group in (("theatre", cast.theatres, Theatre), ("militia", cast.wings, Wing)):
        for place, own in places.items():
            for name, one in group_declarations(group):
                key = f"{prefix}.{place}.{name}"
                found.append((key, one, getattr(own, name), cast.source(key)))
    rows = [(key, one, value, source.provenance, source.text) for key, one, value, source in found]
    rows += [(key, one, extended.values[key], one.provenance, one.source) for key, one in extended.declarations.items()]
    return [
        Row(
            key, one.title, one.symbol, value, one.unit, one.low, one.high, str(one.prior), provenance, source, one.text
        )
        for key, one, value, provenance, source in rows
    ]
