"""What the verbs that only look things up share: a table on the screen, and a folder where one is asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from sim.study.folder import result_folder
from sim.study.request import Request
from sim.view.terminal import show
from sim.world.scenario import Config


def listing(request: Request, config: Config, rows: Sequence[Mapping[str, Any]], *parts: RenderableType) -> None:
    """Print the parts; with `output.dir=` the rows are also left in a folder, as CSV named by the verb."""
    if config.output_dir is not None or request.home is not None:
        with result_folder(request, config) as folder:
            folder.csv(f"{request.verb}.csv", rows)
    show(*parts)
