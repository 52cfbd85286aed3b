"""`lull explain`: what made an outcome, shared out among mechanisms; or where and why two scenarios part."""

import json
from typing import Final

from rich.console import RenderableType
from rich.markup import escape

from sim.numbers.chance import RUN_LIMIT
from sim.study.attribution.attributed import Attribution
from sim.study.attribution.explaining import Explaining, dataset_of, prepare, share_rows
from sim.study.comparison.arms import arms_of
from sim.study.comparison.listed import entries
from sim.study.divergence.divergence import Divergence, divergence
from sim.study.folder import Folder, result_folder
from sim.study.request import Request, whole
from sim.study.sweep.identity import short_hash
from sim.view.attribution import attribution_table, before_line, reading, total_line
from sim.view.terminal import progress, show, shown_path, waiting
from sim.world.errors import UserError

CANNOT_TELL: Final = (
    "What this cannot tell: shares are those of the model's mechanisms under its own rules, not of causes in the world."
    " A mechanism is switched off for the whole history, so its share holds what it did before the lull as well."
)


def main(request: Request) -> None:
    """Carry out the verb; without `divergence` it shares out.

    Raises:
        UserError: something asked for cannot be used, or the folder cannot be written.
    """
    listed, rest = request.taking("divergence")
    if listed is None:
        explain_outcome(request)
    else:
        explain_divergence(request, listed, rest)


def explain_outcome(request: Request) -> None:
    """Share an outcome out among mechanisms."""
    with waiting("composing"):
        asked = prepare(request)
    with result_folder(request, asked.config, label=_label(asked)) as folder:
        with progress(asked.game.histories, "histories") as advance:
            found = asked.live(advance)
        report_attribution(asked, found)
        write_attribution(folder, asked, found)
    show(f"\nFiles in {escape(shown_path(folder.final))}: attribution.png, attribution.csv, coalitions.nc.")


def _label(asked: Explaining) -> str:
    players = {"players": list(asked.game.players), "parameters": asked.source}
    return f"{asked.game.measured.name}-{short_hash(players)}"


def report_attribution(asked: Explaining, found: Attribution) -> None:
    """Print the shares."""
    game = asked.game
    parts: list[RenderableType] = [
        f"[bold]What made it: {escape(game.measured.words)}[/]",
        f"scenario {game.scenario.name}, seed {game.seed}; parameters: {asked.source}, {game.draws} draws with"
        f" {game.runs} histories in each of {len(found.values):,} combinations of {len(game.players)} mechanisms",
        escape(f"{asked.pinned[0].upper()}{asked.pinned[1:]}.") + "\n",
        attribution_table(found),
        escape(total_line(found)),
        *filter(None, [escape(before_line(found))]),
        escape(reading(found)),
        CANNOT_TELL,
    ]
    show(*parts)


def write_attribution(folder: Folder, asked: Explaining, found: Attribution) -> None:
    """Write shares, the outcome of every combination, and the figure."""
    from sim.view.figures.attribution import attribution_figure
    from sim.view.style import save

    data = dataset_of(asked, found)
    folder.csv("attribution.csv", share_rows(found))
    folder.dataset("coalitions.nc", data)
    folder.json("summary.json", {**_plain(data.attrs), "shares": share_rows(found)})
    figure = attribution_figure(data)
    for name in ("attribution.png", "attribution.svg"):
        save(figure, folder.path(name))


def _plain(attributes: dict) -> dict:
    """Attributes without the configuration, which stands in a file of its own."""
    return {name: value for name, value in attributes.items() if name != "configuration"}


def explain_divergence(request: Request, listed: str, rest: Request) -> None:
    """Tell where two scenarios part under the same luck."""
    text, rest = rest.taking("run")
    run = 0 if text is None else whole("run", text, 0, RUN_LIMIT - 1)
    names = entries(listed)
    if len(names) != 2:
        raise UserError("divergence", listed, "two scenarios, such as [article,no_us_strikes]")
    one, other = arms_of(names, rest.overrides, rest.config_dir)
    label = f"run{run}-{short_hash({'scenarios': names})}"
    with result_folder(request, one.config, label=label) as folder:
        with waiting(f"living run {run} twice"):
            told = divergence(one, other, run)
        show(*(escape(line) for line in told.lines()))
        write_divergence(folder, told)
    show(f"\nFiles in {escape(shown_path(folder.final))}: divergence.png, divergence.txt, divergence.csv.")


def write_divergence(folder: Folder, told: Divergence) -> None:
    """Write the story, its links and the two tracks."""
    from sim.view.figures.divergence import divergence_figure
    from sim.view.style import save

    folder.text("divergence.txt", "\n".join(told.lines()) + "\n")
    folder.csv("divergence.csv", told.records())
    folder.text("divergence.json", json.dumps(told.summary(), indent=2, allow_nan=False) + "\n")
    figure = divergence_figure(told)
    for name in ("divergence.png", "divergence.svg"):
        save(figure, folder.path(name))
