"""`sensitivity`: rankings from a store, of an analysis or of any sweep; and the verb from Python."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sim.study.request import Request
from sim.study.sensitivity.designs import DEPENDENT
from sim.study.sensitivity.prepared import VERB, Analysis, prepare
from sim.study.sensitivity.ranking import Given, Method, Morris, Ranking, Sobol, ranked
from sim.study.sensitivity.settings import LEAST_SAMPLES, Settings, settings_of
from sim.study.sensitivity.told import Varied, ranking_rows
from sim.study.sweep.along import keys_of
from sim.study.sweep.axes import declaration, spelled
from sim.study.sweep.design import Column, Sampled
from sim.study.sweep.opened import open_store, open_sweep
from sim.study.sweep.plan import runs_of
from sim.study.sweep.running import running
from sim.study.sweep.store import Store, read_store
from sim.study.sweep.sweeping import axes_spelled
from sim.world.errors import UserError
from sim.world.extension import Extension
from sim.world.extension.reader import asked_for


@dataclass(frozen=True)
class Question:
    """What a store is asked: statistics, by a method, of what varied."""

    settings: Settings
    method: Method
    varied: dict[str, Varied]
    seed: int


def question_of(analysis: Analysis) -> Question:
    """The question that an analysis was made for."""
    design, settings = analysis.sweep.design, analysis.settings
    assert isinstance(design, Sampled)
    parameters = len(design.keys)
    method: Method
    if settings.method == "sobol":
        method = Sobol(settings.samples, parameters)
    elif settings.method == "morris":
        method = Morris(settings.samples, design.unit(0, design.samples))
    else:
        method = Given(design.unit(0, design.samples), design.seed, settings.method == "pawn")
    edges = np.array([0.0, np.nextafter(1.0, 0.0)])
    added = analysis.sweep.config.scenario.extended.extensions
    varied = {axis.key: _varied(axis.key, axis.at(edges), added) for axis in design.axes}
    return Question(settings, method, varied, design.seed)


def _varied(key: str, values: Column, added: tuple[Extension, ...]) -> Varied:
    one = declaration(key, added)
    assert one is not None
    return Varied(one, float(values.min()), float(values.max()))


def question_to(store: Store, settings: Settings) -> Question:
    """A question to a sweep that was made for something else.

    Raises:
        UserError: its points hang together, it has several configurations, too few points or runs, or nothing varies.
    """
    folder = store.folder
    kind = store.manifest["design"]
    if kind in DEPENDENT:
        raise UserError("sensitivity.sweep", folder, f"a sweep of points made independently; those of a {kind} are not")
    data, added = open_sweep(folder), asked_for(store.manifest["overrides"], ())
    columns: dict[str, Any] = {}
    for name in keys_of(data):
        values = data[name].values
        if len(pd.unique(values)) < 2:
            continue
        if declaration(name, added) is None:
            raise UserError("sensitivity.sweep", folder, f"a sweep of one configuration; {name} differs in this one")
        columns[name] = values.astype(np.float64)
    least = LEAST_SAMPLES[settings.method]
    if not columns or store.points < least:
        raise UserError("sensitivity.sweep", folder, f"a sweep of parameters with {least} points or more")
    if runs_of(store.parts, store.points).min() < 2:
        raise UserError("sensitivity.sweep", folder, "a sweep with 2 runs or more of each point, to tell chance apart")
    seed = int(store.manifest["seed"])
    points = np.stack(list(columns.values()), axis=1)
    varied = {key: _varied(key, values, added) for key, values in columns.items()}
    return Question(settings, Given(points, seed, settings.method == "pawn"), varied, seed)


def rankings(store: Store, asked: Question, done: Callable[[Ranking], None] = lambda _: None) -> tuple[Ranking, ...]:
    """Answer a question from a finished store, statistic by statistic."""
    return tuple(_rankings(store, asked, done))


def _rankings(store: Store, asked: Question, done: Callable[[Ranking], None]) -> Iterator[Ranking]:
    data = open_store(store)
    runs = int(runs_of(store.parts, store.points).min())
    for target in asked.settings.targets:
        values = data[target.outcome.name].isel(run=slice(0, runs)).values
        found = ranked(target, values, asked.method, asked.settings.method, tuple(asked.varied), asked.seed)
        done(found)
        yield found


def store_at(folder: Path) -> Store:
    """The sweep in a folder.

    Raises:
        UserError: there is none.
    """
    store = read_store(folder)
    if store is None:
        raise UserError("sensitivity.sweep", folder, "the folder of a sweep, with its manifest.json")
    return store


def sensitivity(
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    to: Path | str | None = None,
    config_dir: Path | str | None = None,
    progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Rank parameters by what outcomes hang on.

    Args:
        overrides: as on the command line, or a mapping of keys to values, where a tuple (low, high) is an interval:
            `{"patron.control": (0.2, 1.0), "sensitivity.method": "morris", "study.runs": 32}`. With
            `sensitivity.sweep` a finished sweep is asked, and no history is lived.
        to: the folder; None takes one below `outputs`. Called again for the same folder it makes only what is missing.
        config_dir: a folder with files of your own.
        progress: called with the number of histories that were lived.

    Returns:
        One row per statistic and parameter, greatest first, with the dummy and the share of chance: the columns of
        `sensitivity.csv`, which docs/sensitivity.md explains.

    Raises:
        UserError: something asked for cannot be used, or the folder holds another sweep.
    """
    texts = settings_spelled(overrides) if isinstance(overrides, Mapping) else tuple(overrides)
    home = () if to is None else (f"output.dir={spelled(str(to))}",)
    request = Request(VERB, (*texts, *home), None if config_dir is None else Path(config_dir))
    settings, rest = settings_of(request)
    if settings.sweep is not None:
        check_alone(rest)
        store = store_at(settings.sweep)
        question = question_to(store, settings)
        found = rankings(store, question)
    else:
        analysis = prepare(request)
        with running(analysis.sweep) as going:
            going.make(progress)
            going.finish()
            question = question_of(analysis)
            found = rankings(going.store, question)
    return pd.DataFrame([row for one in found for row in ranking_rows(one, question.varied)])


def check_alone(rest: Request) -> None:
    """Refuse what would change the histories of a sweep that is there already.

    Raises:
        UserError: there is such a key.
    """
    for text in rest.overrides:
        key, _, value = text.partition("=")
        if key != "output.dir":
            raise UserError(key, value, "sensitivity.method and sensitivity.outcomes; the sweep is there already")


def settings_spelled(overrides: Mapping[str, Any]) -> tuple[str, ...]:
    """A mapping as overrides; lists of an analysis' own keys stay lists.

    >>> settings_spelled({"sensitivity.outcomes": ["war", "deaths:q95"], "patron.control": (0.2, 1.0)})
    ("sensitivity.outcomes=[war,'deaths:q95']", 'patron.control=interval(0.2,1.0)')
    """
    own = {key: value for key, value in overrides.items() if key.startswith("sensitivity.")}
    rest = {key: value for key, value in overrides.items() if key not in own}
    return (*(f"{key}={spelled(value)}" for key, value in own.items()), *axes_spelled(rest))
