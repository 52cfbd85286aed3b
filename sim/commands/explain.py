"""Why scenarios end as they do: shares of mechanisms (`lull explain`), first divergence of one run (`lull diff`)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Unpack

import pandas as pd
import xarray as xr
from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.attribution import Attribution, Explaining, dataset_of, prepare, prepared, share_rows
from sim.analysis.comparison.arms import arms_of, check_pair, common_day
from sim.analysis.divergence import Divergence, divergence
from sim.commands.calls.result import Job, Result, call, carry_out, request_of
from sim.experiment.command import Request, Study, check_one_machine, study_call
from sim.experiment.ensemble import state_table
from sim.experiment.options import DiffOptions, ExplainOptions
from sim.experiment.runner import Progress
from sim.experiment.sweep.configs import short_hash
from sim.model.scenario import keyed_title
from sim.reporting.comparison_tables import attribution_table, before_line, largest_line, reading, total_line
from sim.reporting.figures import drawn
from sim.reporting.terminal import simulating, waiting

CANNOT_TELL: Final = (
    "What this cannot tell: shares are those of the model's mechanisms under its own rules, not of causes in the world."
    " A mechanism is switched off for the whole history, so its share holds what it did before the lull as well."
)


def main(request: Request) -> None:
    """Carry out the verb."""
    if request.verb == "diff":
        options, rest = request.options(DiffOptions)
        carry_out(lambda: diff_job(request, options, rest))
    else:
        carry_out(lambda: explain_job(request, prepare(request)))


# --- shares of mechanisms -------------------------------------------------------------------------------------


@study_call
def explain(
    scenario: str | None = None,
    *,
    outcome: str = ExplainOptions.outcome,
    mechanisms: Sequence[str] | None = None,
    runs: int | None = None,
    draws: int | None = None,
    parameters: str | None = None,
    **study: Unpack[Study],
) -> Result[Attribution]:
    """Share an outcome out among the mechanisms that are at work in a scenario, by Shapley values.

    Args:
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        outcome: any outcome. Days on which a thing may never happen and heavy-tailed ones are replaced by the
            probability that they happen at all.
        mechanisms: those that play; None takes all that are at work. The others stay as they are.
        runs: histories of each draw in each coalition; None takes 16.
        draws: draws of the parameters; None takes 64 where they are drawn.
        parameters: `posterior`, `prior` or `defaults`; None takes the posterior.
        **study: as in every call.

    Returns:
        `data` over mechanism (shares with errors and spreads over the draws, in the unit of the outcome) and coalition
        (mean outcome by draw); table `attribution`.

    Raises:
        UserError: something asked for cannot be used; one line.

    >>> found = explain(outcome="attacks_lull", mechanisms=["fear"], runs=4, parameters="defaults")
    >>> found.data["shapley"].sizes["mechanism"]
    1
    """
    options = ExplainOptions(outcome, None if mechanisms is None else tuple(mechanisms), parameters)
    given = {"study.draws": draws, "study.runs": runs, "scenario": scenario}
    request, rest = request_of("explain", study, given, options)
    return call(explain_job(request, prepared(options, rest)), study)


def explain_job(request: Request, asked: Explaining) -> Job[Attribution]:
    """The attribution as a study."""

    def compute(advance: Progress | None) -> Result[Attribution]:
        found = asked.simulate(advance)
        data, rows = dataset_of(asked, found), share_rows(found)
        about = {name: value for name, value in data.attrs.items() if name != "configuration"}
        return Result(
            request, asked.config, data, found,
            rows={"attribution": rows},
            content={**about, "shares": rows},
            figures={"attribution": drawn("compare_figures", "attribution", data)},
            text=lambda: attribution_text(asked, found),
            files="attribution.png, attribution.csv, coalitions.nc",
            more=lambda folder: folder.dataset("coalitions.nc", data),
        )  # fmt: skip

    mechanisms = short_hash({"players": list(asked.game.players), "parameters": asked.source})
    label = f"{asked.game.measured.name}-{mechanisms}"
    watch = partial(simulating, config=asked.config, forecast=asked.forecast)
    return Job(request, asked.config, compute, watch, label)


def attribution_text(asked: Explaining, found: Attribution) -> Iterator[RenderableType]:
    """What was simulated, and the shares."""
    game = asked.game
    yield f"[bold]What made it: {escape(game.measured.words)}[/]"
    yield escape(largest_line(found, asked.source)) + "\n"
    yield (
        f"scenario {escape(keyed_title(game.scenario.name))}, seed {game.seed}; parameters: {asked.source},"
        f" {game.draws} draws with {game.runs} histories in each of {len(found.values):,} combinations of"
        f" {len(game.players)} mechanisms"
    )
    yield escape(f"{asked.pinned[0].upper()}{asked.pinned[1:]}.") + "\n"
    yield attribution_table(found)
    yield from filter(None, map(escape, (total_line(found), before_line(found), reading(found))))
    yield CANNOT_TELL


# --- first divergence of one run ------------------------------------------------------------------------------


@study_call
def diff(
    scenarios: Sequence[str] = DiffOptions.scenarios, *, run: int = DiffOptions.run, **study: Unpack[Study]
) -> Result[Divergence]:
    """Simulate one run under two scenarios with common random numbers, and find where and why they diverge.

    Args:
        scenarios: two, each perhaps with changes after semicolons, as `compare` takes them; the first two of the
            article where none are given.
        run: number of the history, 0 to 2**48 - 1.
        **study: as in every call.

    Returns:
        `data`: attacks, deaths and the other states of the run over (scenario, day); table `divergence`: the first day
        on which each state differs; `found.lines()`: the story in sentences, which a notebook shows as a list.

    Raises:
        UserError: something asked for cannot be used; one line.

    >>> diff(["article", "no_tower22"], run=7).summary()["scenarios"]
    ['article', 'no_tower22']
    """
    options = DiffOptions(tuple(scenarios), run)
    request, rest = request_of("diff", study, {}, options)
    return call(diff_job(request, options, rest), study)


def diff_job(request: Request, options: DiffOptions, rest: Request) -> Job[Divergence]:
    """The same run under two scenarios as a study."""
    check_pair(options.scenarios)
    check_one_machine(rest.overrides)
    arms = arms_of(options.scenarios, rest.overrides, rest.config_dir, rest.extensions)
    config, run = arms[0].config, options.run

    def compute(_: object) -> Result[Divergence]:
        found, day = divergence(arms[0], arms[1], run), common_day(arms)
        states = [state_table(replace(arm.config, scenario=arm.freed(day)), [run]).squeeze("run") for arm in arms]
        data = xr.concat(states, pd.Index([arm.label for arm in arms], name="scenario"))
        return Result(
            request, config, data, found,
            rows={"divergence": found.records()},
            content=found.summary(),
            figures={"divergence": drawn("history_figures", "divergence", found)},
            text=lambda: map(escape, found.lines()),
            files="divergence.png, divergence.txt, divergence.csv",
            more=lambda folder: folder.text("divergence.txt", "\n".join(found.lines()) + "\n"),
            summary_file="divergence.json",
        )  # fmt: skip

    label = f"run{run}-{short_hash({'scenarios': list(options.scenarios)})}"
    return Job(request, config, compute, lambda _: waiting(f"simulating run {run} twice"), label)
