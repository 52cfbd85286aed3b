"""`lull sensitivity`: what outcomes hang on, from a sweep of its own or from one that is there already."""

import json
import textwrap
from pathlib import Path
from typing import Final

import numpy as np
from rich.markup import escape

from sim.study.request import Request
from sim.study.sensitivity.analysing import Question, check_alone, question_of, question_to, rankings, store_at
from sim.study.sensitivity.prepared import Analysis, prepare
from sim.study.sensitivity.ranking import Ranking
from sim.study.sensitivity.settings import PREFIX, settings_of
from sim.study.sensitivity.told import ranking_rows, summary
from sim.study.sweep.axes import read_axes
from sim.study.sweep.disk import write_aside
from sim.study.sweep.groups import first_overrides
from sim.study.sweep.running import running
from sim.study.sweep.store import Store, void
from sim.view.figures.ranking import SHOWN, Shown, first_upper, measured, named, plain_words, ranking_figure, rest_line
from sim.view.style import save
from sim.view.tables import table
from sim.view.terminal import show, shown_path, waiting
from sim.view.verbs.sweep import make_all, note, table_text
from sim.world.extension.reader import asked_for
from sim.world.scenario import Config, load

HEADS: Final = {
    "sobol": ("total order", "first order"),
    "morris": ("mean change", "its spread"),
    "pawn": ("PAWN median", "greatest"),
    "delta": ("delta", "first order"),
}
"""The two measures of each method; both are told with half of a 95 % interval."""


def main(request: Request) -> None:
    """Carry out the verb.

    Raises:
        UserError: something asked for cannot be used, or the folder holds something else.
        KeyboardInterrupt: after saying how to go on.
    """
    settings, rest = settings_of(request)
    if settings.sweep is not None:
        check_alone(rest)
        store = store_at(settings.sweep)
        answer(store, question_to(store, settings), config_of(store))
        return
    with waiting("composing"):
        analysis = prepare(request)
    announce(analysis)
    sweep = analysis.sweep
    with running(sweep, say=note) as going:
        make_all(going, request.command)
        answer(going.store, question_of(analysis), sweep.config)


def config_of(store: Store) -> Config:
    """The configuration of a sweep, from its manifest; what varied stands at its default."""
    folder = None if store.manifest["config_dir"] is None else Path(store.manifest["config_dir"])
    asked = [one for one in store.manifest["overrides"] if not one.startswith(PREFIX)]
    return load(first_overrides(read_axes(asked, folder, asked_for(asked, ()))), folder)


def announce(analysis: Analysis) -> None:
    """Say what is to be done, what stays as it is, and where a mean would mislead."""
    sweep, settings, held = analysis.sweep, analysis.settings, analysis.space.held
    show(
        f"{settings.method}: {len(analysis.space.axes)} parameters, {settings.samples:,} samples,"
        f" {sweep.work.points:,} points x {sweep.runs:,} runs = {sweep.histories:,} histories, seed {sweep.config.seed}"
    )
    if held:
        show(escape("Held: " + "; ".join(f"{key} ({why})" for key, why in held.items())))
    for one in settings.targets:
        if one.warning:
            show(escape(f"{one.outcome.name} by its {one.words}: {one.warning}"))


def answer(store: Store, asked: Question, config: Config) -> None:
    """Rank, print, draw and write."""
    shown = Shown(config.scenario.cast, asked.varied, source(store))
    with waiting("resampling points and luck"):
        found = rankings(store, asked)
    for one in found:
        report(one, shown)
    files = write(store, found, shown)
    place = escape(shown_path(store.folder))
    show(f"Files in {place}: {', '.join(files)}. The histories are a sweep: sim.open_sweep({str(place)!r})")


def source(store: Store) -> str:
    """Where a figure comes from."""
    told = store.manifest
    return (
        f"Source: Lull, scenario {told['scenario']}, {told['points']:,} points x {told['runs']:,} runs,"
        f" seed {told['seed']}. A model, not a forecast."
    )


def report(one: Ranking, shown: Shown) -> None:
    """Print one ranking: the first parameters, the dummy, the rest in a line, and what chance does."""
    title = escape(named(first_upper(one.target.sentence), shown.cast))
    if not one.resolved:
        show(f"[bold]{title}[/]", escape(chance_line(one)), "")
        return
    heads = HEADS[one.method]
    columns = {"": 2, "parameter": 40, "in words": 24, heads[0]: 13, heads[1]: 13}
    made = table(title, columns, right=("", *heads))
    for place, key in enumerate(one.keys[:SHOWN]):
        words = textwrap.shorten(plain_words(key, shown).partition(": ")[2], 55, placeholder=" …")
        numbers = [measured(one.measures.value[k, place], one.measures.high[k, place]) for k in (0, 1)]
        mark = "" if one.distinguished[place] else "[dim]"
        made.add_row(*(mark + cell for cell in (str(place + 1), escape(key), escape(words), *numbers)))
    numbers = [measured(one.dummy.value[k], one.dummy.high[k]) for k in (0, 1)]
    made.add_row("", "(dummy)", "no effect at all", *numbers)
    show(made, escape(rest_line(one)), escape(chance_line(one)), "")


def chance_line(one: Ranking) -> str:
    """What chance has to do with it."""
    share = one.chance.share
    if not np.isfinite(share.value):
        return "It is the same in all histories: there is nothing to explain."
    text = (
        f"Chance alone makes {share.value:.0%} ({share.low:.0%} to {share.high:.0%}) of the variance of"
        f" {one.target.single_words}; it would be there if every parameter were known."
    )
    if not one.resolved:
        return f"{text} Points do not differ by more than chance: more study.runs."
    removed = "which the indices above leave out" if one.method == "sobol" else "which more study.runs lower"
    return f"{text} Of the differences between points {one.chance.left:.0%} are left-over chance, {removed}."


def write(store: Store, found: tuple[Ranking, ...], shown: Shown) -> list[str]:
    """Write table, summary and figures; returns their names."""
    rows = [row for one in found for row in ranking_rows(one, shown.varied)]
    texts = {
        "sensitivity.csv": table_text(rows),
        "sensitivity.json": json.dumps(summary(store, found), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    }
    for name, text in texts.items():
        put(store, name, text)
    pictures = []
    for one in found:
        if one.resolved:
            pictures.append(f"sensitivity-{one.target.file_name}")
            figure = ranking_figure(one, shown)
            for ending in (".png", ".svg"):
                save(figure, store.folder / f"{pictures[-1]}{ending}")
    return [*texts, *(f"{name}.png" for name in pictures)]


def put(store: Store, name: str, text: str) -> None:
    """Write a text into the folder of the sweep."""
    write_aside(store.folder / name, lambda file: void(file.write(text.encode())))
