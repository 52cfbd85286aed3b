"""Settings that the page can change: a scenario, its history, shared numbers and mechanisms, as short texts by key.

A setting is written as on the command line and checked by the same code. Texts are read as numbers, switches, names and
dates; they are never composed or evaluated. The same texts make the URL of the page. Settings can also be saved as a
scenario file and loaded from one. A file is read as plain data, and may change numbers and mechanisms only, beyond what
a known scenario file changes, because a URL can hold nothing else.
"""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import yaml

from sim.experiment.command import check_one_machine, check_read, whole
from sim.experiment.options import SIZES
from sim.model.aliases import current, current_tree
from sim.model.hydra_config import check_references, config_folders, hydra_text, options, override_of, read_group_file
from sim.model.parameters import MECHANISM_NAMES, shared_declarations
from sim.model.scenario import (
    CONDITIONED,
    DEFAULTS,
    INTERVENTIONS,
    POSTERIOR,
    START,
    Card,
    Config,
    config_of,
    load,
    scenario_names,
)
from sim.model.validation import UserError, one_of

SettingValue = float | bool | str
Tree = dict[str, Any]

RUNS: Final = SIZES["app"].runs
MOST_RUNS: Final = 20_000
"""With more runs the page would not follow a slider any more."""
LONGEST: Final = 64
"""Characters of a value: no number, name or date has more."""
COMPOSED: Final = 256
"""Configurations that are remembered."""
LARGEST_FILE: Final = 50_000
"""Characters of a scenario file that is read."""
MOST_BRACKETS: Final = 100
"""Brackets in such a file: the time to read them grows with the square of their number."""

SCENARIO: Final = "scenario"
HISTORY: Final = "history"
FREE: Final = "free"
FREE_FROM: Final = "history.free_from"
ASKED: Final = "outcomes"
WORDS: Final = {INTERVENTIONS: INTERVENTIONS, ASKED: "study.outcomes"}
"""Texts in words, parted by semicolons: events on top of a scenario, and what is asked; with their full keys."""
LONGEST_WORDS: Final = 400
SEED: Final = "seed"
FILE: Final = "file"
SECOND: Final = "b."
"""Prefix of the keys of the second scenario."""
MAX_SEED: Final = 2**64 - 1
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_HEAD: Final = """\
# @package _global_
# Saved by the page of Lull. As DIR/scenario/{name}.yaml it is run by: lull run --config-dir DIR scenario={name}
"""


def settable() -> tuple[str, ...]:
    """Keys of all values that can be set, in the order in which they are listed."""
    return (FREE_FROM, *shared_declarations(), *(f"mechanisms.{name}" for name in MECHANISM_NAMES))


@dataclass(frozen=True)
class ScenarioSettings:
    """A scenario file, whether documented history is left out, and the values that differ from those of the file.

    `words` are the `interventions` on top of the scenario and the `outcomes` asked, by key.
    """

    scenario: str
    free: bool = False
    values: tuple[tuple[str, SettingValue], ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def listed(self, key: str) -> tuple[str, ...]:
        """The texts in words under a key."""
        return dict(self.words).get(key, ())

    def texts(self, default: str) -> dict[str, str]:
        """The settings as short texts by key; the `default` scenario is left out.

        >>> ScenarioSettings("article", True, (("patron.control", 0.5),)).texts("article")
        {'history': 'free', 'patron.control': '0.5'}
        """
        texts = {} if self.scenario == default else {SCENARIO: self.scenario}
        if self.free:
            texts[HISTORY] = FREE
        texts |= {key: "; ".join(words) for key, words in self.words}
        return texts | {key: value if isinstance(value, str) else hydra_text(value) for key, value in self.values}

    def overrides(self) -> tuple[str, ...]:
        """The same as on the command line: the scenario, with events in words, is always named; asked is last."""
        texts = replace(self, words=()).texts("")
        scenario, events = f"{SCENARIO}={texts.pop(SCENARIO)}", self.listed(INTERVENTIONS)
        first = "; ".join((self.scenario, *events)) if events else scenario
        return (first, *(f"{key}={text}" for key, text in texts.items()), *self.listed(ASKED))


@dataclass(frozen=True)
class BaseConfig:
    """What all settings start from: the user's folder of files, and overrides that hold for every session."""

    scenario: str = "article"
    seed: int = 1
    runs: int = RUNS
    overrides: tuple[str, ...] = ()
    config_dir: Path | None = None
    cards: tuple[Card, ...] = field(default_factory=scenario_names, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scenario files that can be chosen."""
        return tuple(card.name for card in self.cards)

    def scenario_config(self, scenario: str, free: bool, interventions: tuple[str, ...] = ()) -> Config:
        """The configuration of a scenario file with events on top of it, and nothing else set."""
        return _composed(self.overrides, self.config_dir, scenario, free, interventions)

    def settings(self, texts: Mapping[str, str]) -> ScenarioSettings:
        """Settings from short texts by key; all others are as in the scenario file.

        Raises:
            UserError: an unknown key, or a value that is not allowed.
        """
        texts = {current(key): text for key, text in texts.items()}
        for key, text in texts.items():
            if key not in (SCENARIO, HISTORY, *WORDS, *settable()):
                allowed = one_of((SCENARIO, HISTORY, SEED, *WORDS, *settable()), key)
                raise UserError(key[:LONGEST], text, f"keys: {allowed}")
            if len(text) > (most := LONGEST_WORDS if key in WORDS else LONGEST):
                raise UserError(key, text, f"at most {most} characters")
        name, free = texts.get(SCENARIO, self.scenario), HISTORY in texts
        if name not in self.names:
            raise UserError(SCENARIO, name, one_of(self.names, name))
        if free and texts[HISTORY] != FREE:
            raise UserError(HISTORY, texts[HISTORY], f"{FREE}, or no such key where documented history is pinned")
        words = tuple((key, _parted(texts[key])) for key in WORDS if _parted(texts.get(key, "")))
        start = self.scenario_config(name, free, dict(words).get(INTERVENTIONS, ()))
        given = {key: _value(key, texts[key]) for key in settable() if key in texts}
        changed = tuple((key, value) for key, value in given.items() if value != configured_value(start, key))
        settings = ScenarioSettings(name, free, changed, words)
        self.config(settings)
        return settings

    def config(self, settings: ScenarioSettings, seed: int | None = None) -> Config:
        """The configuration that settings make, as the command line would make it."""
        start = self.scenario_config(settings.scenario, settings.free, settings.listed(INTERVENTIONS))
        tree = {**start.tree, "seed": self.seed if seed is None else seed}
        asked = list(settings.listed(ASKED)) or tree["study"]["outcomes"]
        tree["study"] = {**tree["study"], "runs": self.runs, "outcomes": asked}
        for key, value in settings.values:
            group, _, name = key.partition(".")
            tree[group] = {**tree[group], name: value}
        return config_of(tree, settings.scenario, start.scenario.extended.extensions)


def load_base(overrides: tuple[str, ...], config_dir: Path | None = None) -> BaseConfig:
    """The base configuration that overrides of the command line make.

    Raises:
        UserError: they cannot be used, or ask for more runs than can be simulated while a visitor waits.
    """
    check_read("app", overrides)
    check_one_machine(overrides)
    own = {"scenario", "seed", "study.runs"}
    config = load(overrides, config_dir)
    if config.parameters_from == CONDITIONED:
        raise UserError("parameters", CONDITIONED, f"{DEFAULTS} or {POSTERIOR}; the page shows the outlook by itself")
    given = any(one.startswith("study.runs=") for one in overrides)
    if given and config.runs > MOST_RUNS:
        raise UserError("study.runs", config.runs, f"1 to {MOST_RUNS} here")
    return BaseConfig(
        scenario=config.scenario.name,
        seed=config.seed,
        runs=config.runs if given else RUNS,
        overrides=tuple(one for one in overrides if one.partition("=")[0].lstrip("+") not in own),
        config_dir=config_dir,
        cards=scenario_names(config_dir),
    )


def configured_value(config: Config, key: str) -> SettingValue | None:
    """The value that a configuration has at one of the settable keys."""
    group, _, name = key.partition(".")
    value = config.tree[group][name]
    return value if value is None or isinstance(value, bool | str) else float(value)


def _value(key: str, text: str) -> SettingValue:
    """The value that a text sets a key to; its range is checked with the whole configuration."""
    if key == FREE_FROM:
        return _day(text)
    if key.startswith("mechanisms."):
        if text not in ("true", "false"):
            raise UserError(key, text, "true or false")
        return text == "true"
    one = shared_declarations()[key]
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise UserError(key, text, f"a number from {one.low:g} to {one.high:g}")
    return float(text)


def _parted(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))


def _day(text: str) -> str:
    if text == START:
        return text
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UserError(FREE_FROM, text, f"a date such as 2024-01-29, or {START}") from None


@lru_cache(COMPOSED)
def _composed(
    overrides: tuple[str, ...], config_dir: Path | None, scenario: str, free: bool, interventions: tuple[str, ...]
) -> Config:
    """Composing takes half a second; without interventions there are twice as many results as scenario files."""
    more = [f"{HISTORY}={FREE}"] if free else []
    more += [override_of(INTERVENTIONS, list(interventions))] if interventions else []
    return load((*overrides, f"scenario={scenario}", *more), config_dir)


@contextmanager
def _keys_prefixed(prefix: str) -> Iterator[None]:
    """Put a prefix before the key of an error."""
    try:
        yield
    except UserError as mistake:
        raise UserError(prefix + mistake.key, mistake.value, mistake.allowed) from None


# --- the URL ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExploreState:
    """What the page shows: settings A, perhaps settings B to compare with, and the seed of both."""

    a: ScenarioSettings
    b: ScenarioSettings | None
    seed: int

    def texts(self, base: BaseConfig) -> dict[str, str]:
        """The settings as short texts by key, without the defaults of the base configuration."""
        texts = self.a.texts(base.scenario)
        if self.b is not None:
            texts |= {SECOND + key: text for key, text in self.b.texts("").items() if key != ASKED}
        return texts | ({} if self.seed == base.seed else {SEED: str(self.seed)})

    def query(self, base: BaseConfig) -> str:
        """The same as the part of a URL behind the question mark."""
        return urlencode(self.texts(base))


def parse_state(base: BaseConfig, texts: Mapping[str, str]) -> ExploreState:
    """The state that texts by key describe; `b.` in front of a key makes it one of the second scenario.

    Raises:
        UserError: an unknown key, or a value that is not allowed.
    """
    first = {key: text for key, text in texts.items() if key != SEED and not key.startswith(SECOND)}
    second = {key.removeprefix(SECOND): text for key, text in texts.items() if key.startswith(SECOND)}
    seed = whole(SEED, texts[SEED], 0, MAX_SEED) if SEED in texts else base.seed
    a = base.settings(first)
    if second and ASKED in first:
        second |= {ASKED: first[ASKED]}  # of both the same is asked
    with _keys_prefixed(SECOND):
        return ExploreState(a, base.settings(second) if second else None, seed)


def initial_state(base: BaseConfig) -> ExploreState:
    """The state before anything is set."""
    return ExploreState(ScenarioSettings(base.scenario), None, base.seed)


# --- scenario files -----------------------------------------------------------------------------------------


def dump_scenario(base: BaseConfig, settings: ScenarioSettings, name: str = "mine") -> str:
    """The scenario file that settings make: that of their scenario with the values on top."""
    content = _scenario_file(base, settings.scenario)
    values = {FREE_FROM: START} if settings.free else {}
    if words := settings.listed(INTERVENTIONS):
        content[INTERVENTIONS] = list(words)
    for key, value in (values | dict(settings.values)).items():
        group, _, leaf = key.partition(".")
        content[group] = {**content.get(group, {}), leaf: value}
    return _HEAD.format(name=name) + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def parse_scenario(base: BaseConfig, text: str) -> ScenarioSettings:
    """The settings in a scenario file.

    Raises:
        UserError: it is no scenario file, changes more than numbers and mechanisms, or a value is not allowed.
    """
    content = _parse_yaml(text)
    words = content.pop(INTERVENTIONS, [])
    values, rest = _split(content)
    added = {INTERVENTIONS: "; ".join(map(str, words))} if isinstance(words, list) and words else {}
    for name in base.names:
        own, other = _split(_scenario_file(base, name))
        if other == rest:
            free = values.get(FREE_FROM) == START and FREE_FROM not in own
            article = base.scenario_config("article", False)
            values |= {key: configured_value(article, key) for key in own if key not in values}
            chosen = {SCENARIO: name, **({HISTORY: FREE} if free else {}), **added}
            return _checked(base, chosen, {key: one for key, one in values.items() if not (free and key == FREE_FROM)})
    about = rest.pop(SCENARIO, {})
    if rest or not isinstance(about, dict) or not set(about) <= {"question", "departs"}:
        key = next(iter(rest), SCENARIO)
        allowed = "numbers and mechanisms here; scenarios with more are chosen after `lull app --config-dir DIR`"
        raise UserError(f"{FILE}: {key}", rest.get(key, about), allowed)
    if about.get("departs") is not None:
        values = {FREE_FROM: about["departs"], **values}
    return _checked(base, {SCENARIO: "article", **added}, values)


def _checked(base: BaseConfig, chosen: Mapping[str, str], values: Mapping[str, Any]) -> ScenarioSettings:
    texts = {key: str(one).lower() if isinstance(one, bool) else str(one) for key, one in values.items()}
    with _keys_prefixed(f"{FILE}: "):
        return base.settings({**chosen, **texts})


def _parse_yaml(text: str) -> Tree:
    """A text as plain data: no objects and no references, so that it cannot grow when it is read."""
    if len(text) > LARGEST_FILE:
        raise UserError(FILE, f"{len(text)} characters", f"at most {LARGEST_FILE}")
    if text.count("{") + text.count("[") > MOST_BRACKETS:
        raise UserError(FILE, "many brackets", f"at most {MOST_BRACKETS}")
    allowed = "a scenario file: YAML that maps keys to values"
    try:
        referring = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text))
        content = None if referring else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        mark = getattr(problem, "problem_mark", None)
        raise UserError(FILE, f"malformed in line {mark.line + 1}" if mark else "malformed", allowed) from None
    if referring:
        raise UserError(FILE, "a reference (*)", "plain values")
    if not isinstance(content, dict):
        raise UserError(FILE, "no mapping", allowed)
    check_references(content, f"{FILE}: ")
    plain: Tree = _plain(content)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _split(content: Tree) -> tuple[dict[str, Any], Tree]:
    """The values that can be set, by key, and the rest unchanged."""
    known = set(settable())
    values: dict[str, Any] = {}
    rest: Tree = {}
    for group, inside in current_tree(content).items():
        leaves = inside if isinstance(inside, dict) else {}
        mine = {name for name in leaves if f"{group}.{name}" in known}
        values |= {f"{group}.{name}": leaves[name] for name in leaves if name in mine}
        if not leaves:
            rest[group] = inside
        elif others := {name: one for name, one in leaves.items() if name not in mine}:
            rest[group] = others
    return values, rest


def _scenario_file(base: BaseConfig, name: str) -> Tree:
    plain: Tree = _plain(read_group_file(options("scenario", config_folders(base.config_dir))[name]))
    return plain
