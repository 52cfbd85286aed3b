"""`report` from Python."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sim.study.report.found import live
from sim.study.report.prepared import prepare
from sim.study.report.settings import OUTCOME
from sim.study.request import Request
from sim.study.simulation import Override
from sim.study.sweep.axes import spelled
from sim.view.report.page import Page, page_of


def report(
    scenarios: Sequence[str],
    *,
    outcome: str = OUTCOME,
    question: str | None = None,
    mechanisms: Sequence[str] | None = None,
    draws: int | None = None,
    runs: int | None = None,
    seed: int = 1,
    parameters: str | None = None,
    overrides: Mapping[str, Override] | Sequence[str] = (),
    config_dir: Path | str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Page:
    """Compare scenarios, explain an outcome of the first, and write a page about it.

    Args:
        scenarios: two or more, the first the baseline, as `compare` takes them.
        outcome: what the answer is about.
        question: the heading; None makes one of the scenarios.
        mechanisms: those that share the outcome out; None takes all that are at work.
        draws: draws of the parameters; None takes 200 where they are drawn.
        runs: histories of each draw and scenario; None takes 250.
        seed: study seed.
        parameters: `posterior`, `prior` or `defaults`; None takes the posterior.
        overrides: what holds for all scenarios; also keys of the report, such as `report.share_draws`.
        config_dir: a folder with scenario files of your own.
        progress: called with numbers of finished histories.

    Returns:
        The page: its `html`, its `question`, its `sentences`, and its `tables` and `pictures` by name.

    Raises:
        UserError: something asked for cannot be used; one line.
    """
    given = {
        "report.outcome": outcome,
        "report.question": question,
        "report.mechanisms": None if mechanisms is None else f"[{','.join(mechanisms)}]",
        "study.draws": draws,
        "study.runs": runs,
        "seed": seed,
        "parameters": parameters,
    }
    texts = [f"scenarios=[{','.join(scenarios)}]", *(f"{key}={one}" for key, one in given.items() if one is not None)]
    texts += (
        [f"{key}={spelled(value)}" for key, value in overrides.items()] if isinstance(overrides, Mapping) else overrides
    )
    request = Request("report", tuple(texts), None if config_dir is None else Path(config_dir))
    return page_of(live(prepare(request), progress), request)
