"""`lull sensitivity`: global sensitivity indices, from a sweep of its own or from one that is there already."""

import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Unpack

import numpy as np
import pandas as pd
from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.sensitivity import sensitivity_run as analysis
from sim.analysis.sensitivity.indices import Ranking
from sim.commands.calls.result import request_of
from sim.commands.sweep import StoredResult, make_quietly, make_shown, note, show_result
from sim.experiment.command import Request, Study, study_call
from sim.experiment.formats import named
from sim.experiment.options import SensitivityOptions
from sim.experiment.sweep.axes import axis_of, read_axes
from sim.experiment.sweep.run_sweep import Running, running
from sim.experiment.sweep.store import Store, void
from sim.model.extension import requested_extensions
from sim.model.scenario import Config, load, titled
from sim.reporting.figures import drawn
from sim.reporting.figures.ranking import SHOWN, Shown, plain_words, rest_line
from sim.reporting.table import Column, Table
from sim.reporting.terminal import show, shown_path, waiting
from sim.reporting.text import FigureSource, capital, half_width

HEADS: Final = {
    "sobol": ("total order", "first order"),
    "morris": ("mean change", "its spread"),
    "pawn": ("PAWN median", "greatest"),
    "delta": ("delta", "first order"),
}
"""The two measures of each method; both are printed with half of a 95 % interval."""


def main(request: Request) -> None:
    """Carry out the verb."""
    show_result(analysed(request, partial(make_shown, command=request.command), note, announce))


@study_call
def sensitivity(
    scenario: str | None = None,
    *,
    runs: int | None = None,
    method: str | None = None,
    samples: int | None = None,
    outcomes: Sequence[str] | None = None,
    parameters: Sequence[str] | None = None,
    sweep: Path | str | None = None,
    **study: Unpack[Study],
) -> StoredResult[tuple[Ranking, ...]]:
    """Rank parameters by their influence on outcomes, and write what `lull sensitivity` writes.

    In the overrides a tuple (low, high) is an interval: `{"patron.control": (0.2, 1.0)}`. Extensions are files. `to`
    None takes a folder below `outputs`; called again for the same folder it makes only what is missing.

    Args:
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        runs: runs of each point; None: 64.
        method: `sobol`, `morris`, `pawn` or `delta`; None: Sobol, or PAWN with a sweep.
        samples: samples of the design; None: as many as the method usually needs.
        outcomes: statistics of outcomes, such as `war:share` or `lull_days:median`; None: those of the key outcomes.
        parameters: patterns of the keys that vary; None: the shared parameters that have a prior.
        sweep: folder of a finished sweep to analyse; no history is simulated then.
        **study: as in every call.

    Returns:
        Table `sensitivity`: one row per statistic and parameter, greatest first, with the dummy and the share of chance
        (docs/sensitivity.md explains its columns); `data`: the same over (outcome, statistic, parameter); `found`: the
        rankings.

    Raises:
        UserError: something asked for cannot be used, or the folder holds another sweep.
    """
    own = {"method": method, "samples": samples, "outcomes": outcomes, "parameters": parameters, "sweep": sweep}
    given = {"scenario": scenario, "study.runs": runs}
    given |= {SensitivityOptions.key(name): _listed(value) for name, value in own.items()}
    request, _ = request_of(analysis.VERB, study, given, make=axis_of)
    return analysed(request, partial(make_quietly, progress=study.get("progress")))


def _listed(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return value if value is None or isinstance(value, str | int) else list(value)


def analysed(
    request: Request,
    make: Callable[[Running], None],
    say: Callable[[str], None] = void,
    begin: Callable[[analysis.Analysis], None] = lambda _: None,
) -> StoredResult[tuple[Ranking, ...]]:
    """Analyse a sweep that is there already, or one that `make` makes; `begin` is called before."""
    settings, rest = analysis.settings_of(request)
    if settings.sweep is not None:
        analysis.check_alone(rest)
        store = analysis.store_at(settings.sweep)
        return result_of(request, store, analysis.question_to(store, settings), config_of(store))
    with waiting("composing"):
        asked = analysis.prepare(request)
    begin(asked)
    with running(asked.sweep, say) as going:
        make(going)
        return result_of(request, going.store, analysis.question_of(asked), asked.sweep.config)


def config_of(store: Store) -> Config:
    """The configuration of a sweep, from its manifest; what varied stands at its default."""
    folder = None if store.manifest["config_dir"] is None else Path(store.manifest["config_dir"])
    _, rest = SensitivityOptions.split(store.manifest["overrides"])
    return load(read_axes(rest, folder, requested_extensions(rest, ())).combination(0), folder)


def announce(asked: analysis.Analysis) -> None:
    """Say what is to be done, what stays as it is, and where a mean would mislead."""
    sweep, settings, held = asked.sweep, asked.settings, asked.space.held
    show(
        f"{settings.method}: {len(asked.space.axes)} parameters, {settings.samples:,} samples,"
        f" {sweep.work.points:,} points x {sweep.runs:,} runs = {sweep.histories:,} histories, seed {sweep.config.seed}"
    )
    if held:
        show(escape("Held: " + "; ".join(f"{key} ({why})" for key, why in held.items())))
    for one in settings.targets:
        if one.warning:
            show(escape(f"{one.outcome.title} by its {one.words}: {one.warning}"))


def result_of(
    request: Request, store: Store, asked: analysis.Question, config: Config
) -> StoredResult[tuple[Ranking, ...]]:
    """Rank, and write table, summary and figures into the folder of the sweep."""
    manifest = store.manifest
    made = f"{manifest['points']:,} points x {manifest['runs']:,} runs"
    source = FigureSource([titled(manifest["scenario"])], made, manifest["seed"])
    shown = Shown(config.scenario.cast, asked.varied, source)
    with waiting("resampling points and runs"):
        found = analysis.rankings(store, asked)
    rows = [row for one in found for row in analysis.ranking_rows(one, shown.varied)]
    figures = {
        f"sensitivity-{one.target.file_name}": drawn("ranking", "ranking", one, shown) for one in found if one.resolved
    }
    names = ", ".join(("sensitivity.csv", "sensitivity.json", *(f"{name}.png" for name in figures)))
    place = escape(shown_path(store.folder))
    result = StoredResult(
        request, config, pd.DataFrame(rows).set_index(["outcome", "statistic", "parameter"]).to_xarray(), found,
        rows={"sensitivity": rows},
        content=analysis.summary(store, found),
        figures=figures,
        text=lambda: (
            *(part for one in found for part in report(one, shown)),
            f"Files in {place}: {names}. The histories are a sweep: sim.open_sweep({str(place)!r})",
        ),
        files=names,
        summary_file="sensitivity.json",
        folder=store.folder,
    )  # fmt: skip
    result.put()
    return result


def report(one: Ranking, shown: Shown) -> Sequence[RenderableType]:
    """One ranking: the first parameters, the dummy, the rest in a line, and what chance does."""
    if not one.resolved:
        title = escape(named(capital(one.target.sentence), shown.cast))
        return f"[bold]{title}[/]", escape(chance_line(one)), ""
    return ranking_table(one, shown), escape(rest_line(one)), escape(chance_line(one)), ""


def ranking_table(one: Ranking, shown: Shown) -> Table:
    """The first parameters and the dummy, with both measures of the method."""
    rows = [
        {
            "rank": str(place + 1),
            "title": textwrap.shorten(plain_words(key, shown).partition(": ")[2], 55, placeholder=" …"),
            "key": key,
            **{
                name: half_width(one.measures.value[k, place], one.measures.high[k, place])
                for k, name in enumerate(("first", "second"))
            },
            "look": "" if one.distinguished[place] else "dim",
        }
        for place, key in enumerate(one.keys[:SHOWN])
    ]
    dummy = {name: half_width(one.dummy.value[k], one.dummy.high[k]) for k, name in enumerate(("first", "second"))}
    rows.append({"rank": "", "title": "no effect at all", "key": "(dummy)", **dummy, "look": ""})

    def column(key: str, title: str, number: bool = False) -> Column:
        return Column(key, title, number=number, style=lambda row: row["look"])

    first, second = HEADS[one.method]
    columns = (
        column("rank", "", True), column("title", "Parameter"), column("key", "Key"), column("first", first, True),
        column("second", second, True),
    )  # fmt: skip
    return Table(named(capital(one.target.sentence), shown.cast), columns, rows)


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
