"""`diverge`: where one run parts under two scenarios, from Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sim.study.comparison.arms import arms_of
from sim.study.divergence.divergence import Divergence, divergence
from sim.study.request import override_texts
from sim.study.simulation import Override


def diverge(
    one: str,
    other: str,
    run: int = 0,
    *,
    seed: int = 1,
    overrides: Mapping[str, Override] | Sequence[str] = (),
    config_dir: Path | str | None = None,
) -> Divergence:
    """Live one run under two scenarios, with the same luck, and find where and why they part.

    Args:
        one: a scenario, perhaps with changes after semicolons, as `compare` takes them.
        other: the scenario that is set against it.
        run: number of the history.
        seed: study seed.
        overrides: what holds for both.
        config_dir: a folder with scenario files of your own.

    Returns:
        Both histories and the story of their parting: `lines()` tells it in sentences, `records()` as rows,
        `sim.draw` draws it.

    Raises:
        UserError: something asked for cannot be used; one line.
        ValueError: the run has no address.
    """
    folder = None if config_dir is None else Path(config_dir)
    arms = arms_of((one, other), override_texts(overrides, {"seed": seed}), folder)
    return divergence(arms[0], arms[1], run)
