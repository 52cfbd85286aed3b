"""`lull replay run=NUMBER`: tell one history day by day, and leave every number behind it in a folder."""

from rich.markup import escape

from sim.numbers.chance import RUN_LIMIT
from sim.study.folder import Folder, result_folder
from sim.study.replay import replay
from sim.study.request import Request, whole
from sim.study.simulation import state_table
from sim.study.summary import history
from sim.view.chronicle import show_chronicle
from sim.view.terminal import screen, show, shown_path, waiting
from sim.world.scenario import Config


def main(request: Request) -> None:
    """Carry out the verb; without a number it tells run 0.

    Raises:
        UserError: the number of the run or the configuration cannot be used, or the folder cannot be written.
    """
    text, rest = request.taking("run")
    run = 0 if text is None else whole("run", text, 0, RUN_LIMIT - 1)
    config = rest.config()
    with result_folder(request, config, label=f"run{run}") as folder:
        with waiting(f"living run {run} again"):
            chronicle = replay(config, run)
        show(f"[bold]{escape(config.scenario.question)}[/]")
        show_chronicle(chronicle, screen())
        folder.text("chronicle.txt", "\n".join(chronicle.lines()) + "\n")
        chronicle.to_csv(folder.path("chronicle.csv"))
        chronicle.to_json(folder.path("chronicle.json"))
        write_numbers(folder, config, run)
    show(f"\nFiles in {escape(shown_path(folder.final))}: chronicle.txt, and every state and draw behind it.")


def write_numbers(folder: Folder, config: Config, run: int) -> None:
    """Write the outcomes of the history and the state of every day, as the compiled engine has them."""
    folder.json("summary.json", history(config, run))
    folder.dataset("states.nc", state_table(config, [run]))
