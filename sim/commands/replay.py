"""`lull replay NUMBER`: one simulated history on one screen; the whole chronicle and every number in a folder."""

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Unpack

from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.narrative import Chronicle, Sentence
from sim.analysis.summary import history
from sim.analysis.traced_run import chronicle_of, scenario_of_run
from sim.commands.calls.result import Job, Result, call, carry_out, request_of
from sim.engine.trace import Rule
from sim.experiment.command import Request, Study, study_call
from sim.experiment.ensemble import state_table
from sim.experiment.options import ReplayOptions
from sim.experiment.result_dir import Folder
from sim.model.scenario import Config
from sim.reporting.terminal import chronicle_texts, screen, waiting
from sim.rules import casualties, patron, rates, target

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TURNS: Final = frozenset(
    (
        patron.next_phase, patron.documented_phase, patron.directive, rates.episode_ends, casualties.number_killed,
        casualties.toll, target.days_pending, target.major_response_occurs,
    )
)  # fmt: skip
"""Rules whose results turn a history: phases and orders of the patron, pauses, deaths, major responses, war."""
MOST_TURNS: Final = 16
BARS: Final = "▁▂▃▄▅▆▇█"
WEEK: Final = 7


def main(request: Request) -> None:
    """Carry out the verb; without a number it shows run 0."""
    carry_out(lambda: job(request, *request.options(ReplayOptions)))


@study_call
def replay(scenario: str | None = None, *, run: int = ReplayOptions.run, **study: Unpack[Study]) -> Result[Chronicle]:
    """Simulate one history with every decision written down; history `run` of `simulate`, state for state.

    Args:
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        run: number of the history, 0 to 2**48 - 1.
        **study: as in every call.

    Returns:
        `data`: the state of every day over (run, day), (run, day, theatre) and (run, day, wing); table `chronicle`: one
        row for each sentence; `found`: the sentences themselves, with `paragraphs()` and `lines()`.

    Raises:
        UserError: something asked for cannot be used; one line.

    >>> next(replay(run=17).found.lines())
    'Documented history (article): run 17 of seed 1'
    """
    options = ReplayOptions(run)
    request, rest = request_of("replay", study, {"scenario": scenario}, options)
    return call(job(request, options, rest), study)


def job(request: Request, options: ReplayOptions, rest: Request) -> Job[Chronicle]:
    """One history as a study."""
    config, run = rest.config(), options.run

    def compute(_: object) -> Result[Chronicle]:
        found, data, outcomes = chronicle_of(config, run), state_table(config, [run]), history(config, run)

        def text() -> Iterator[RenderableType]:
            yield f"[bold]{escape(config.scenario.question)}[/]"
            if options.full:
                yield from chronicle_texts(found, screen().width)
            else:
                yield from map(escape, summary_lines(found, outcomes["outcomes"], screen().width))

        def more(folder: Folder) -> None:
            folder.text("chronicle.txt", "\n".join(found.lines()) + "\n")
            # Cells that hold several values are written as JSON.
            found.to_csv(folder.path("chronicle.csv"))
            found.to_json(folder.path("chronicle.json"))
            folder.dataset("states.nc", data)

        return Result(
            request, config, data, found,
            rows={"chronicle": found.records()},
            content=outcomes,
            figures={},
            text=text,
            files="chronicle.txt, and every state and random number behind it",
            more=more,
            other=lambda: _figure(config, run),
            printed={"turning_points": [_plain(one) for one in turning_points(found)]},
        )  # fmt: skip

    return Job(request, config, compute, lambda _: waiting(f"simulating run {run}"), f"run{run}")


def _figure(config: Config, run: int) -> "Figure":
    """The history day by day."""
    from sim.engine.reference.model import ReferenceModel
    from sim.reporting.figures.history_figures import history_figure

    return history_figure(ReferenceModel(scenario_of_run(config, run), config.seed, run).simulate())


def summary_lines(chronicle: Chronicle, outcomes: dict[str, Any], width: int) -> list[str]:
    """One screen: the title, the headline, attacks by week, and the days that turned the history."""
    lines = [chronicle.title, headline(outcomes), "", f"Attacks by week  {sparkline(weekly_attacks(chronicle))}", ""]
    turns = turning_points(chronicle)
    indent = " " * 13
    for one in turns[:MOST_TURNS]:
        text = f"{one.date:%d %b %Y}  {re.sub(r' [(][^)]*[)]', '', one.text)}"
        lines += textwrap.wrap(text, width, subsequent_indent=indent)
    if len(turns) > MOST_TURNS:
        lines.append(f"{indent}and {len(turns) - MOST_TURNS} more; full=true prints every day.")
    return lines


def headline(outcomes: dict[str, Any]) -> str:
    """The outcomes that sum a history up, in a sentence."""
    deaths, war = outcomes["deaths"]["value"], outcomes["war_day"]["value"]
    ending = "no direct war" if war is None else f"direct war on day {war:.0f}"
    return (
        f"{outcomes['attacks_campaign']['value']:.0f} attacks in the campaign, {deaths:.0f} deaths, a lull of"
        f" {outcomes['lull_days']['value']:.0f} days, {ending}."
    )


def weekly_attacks(chronicle: Chronicle) -> list[int]:
    """Attacks on the target in each week."""
    weeks = [0] * -(-chronicle.days // WEEK)
    for one in chronicle.sentences:
        if one.kind == "attack":
            weeks[one.day // WEEK] += int(one.result)
    return weeks


def sparkline(values: list[int]) -> str:
    """Numbers as bars of one line, the greatest full.

    >>> sparkline([0, 4, 8])
    '▁▅█'
    """
    top = max(max(values), 1)
    return "".join(BARS[round(value / top * (len(BARS) - 1) + 1e-9)] for value in values)


def turning_points(chronicle: Chronicle) -> list[Sentence]:
    """Sentences on days that turned the history: the first of each rule, day and actor; orders after the first day."""
    found: dict[tuple[int, Rule, str], Sentence] = {}
    for one in chronicle.sentences:
        if one.rule in TURNS and (one.day or one.rule is not patron.directive):
            found.setdefault((one.day, one.rule, one.actor), one)
    return list(found.values())


def _plain(one: Sentence) -> dict[str, Any]:
    return {"day": one.day, "date": one.date.isoformat(), "kind": one.kind, "text": one.text}
