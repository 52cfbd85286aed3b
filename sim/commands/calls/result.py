"""What a study gives, by Python call and by command alike: its data, tables, summary, figures and folder."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rich.console import RenderableType
from rich.markup import escape

from sim.experiment.cluster import cluster_of, connected
from sim.experiment.command import Request, Study, check_read, override_texts, spelled_options
from sim.experiment.options import Options
from sim.experiment.result_dir import Folder, result_folder
from sim.experiment.runner import Checkpoints, Progress
from sim.model.aliases import FILES
from sim.model.extension import Extension
from sim.model.hydra_config import override_of
from sim.model.scenario import Config
from sim.model.validation import UserError, one_of
from sim.reporting.terminal import show, show_json, shown_path, waiting

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

Found = TypeVar("Found")
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, repr=False)
class Result(Generic[Found]):
    """A finished study, by Python call or by command.

    Attributes:
        request: what was asked.
        config: the configuration that this made.
        data: a labelled xarray Dataset; units stand in the attributes of its variables or in a coordinate.
        found: what everything else is made of.
        rows: the tables of the folder by the name of their CSV file.
        content: the content of `summary.json`.
        figures: what draws each figure of the folder, by the name of its file, the main one first.
        text: what the command prints.
        files: the files of the folder in words.
        more: writes further files.
        other: draws figures of other names.
        summary_file: where `content` stands.
        printed: what `--json` prints besides it.
        columns: the columns of a table that may have no row, by its name.
    """

    request: Request
    config: Config
    data: "xr.Dataset"
    found: Found
    rows: Mapping[str, Rows]
    content: Mapping[str, Any]
    figures: "Mapping[str, Callable[[], Figure]]"
    text: Callable[[], Iterable[RenderableType]]
    files: str
    more: Callable[[Folder], None] = lambda _: None
    other: "Callable[..., Figure] | None" = None
    summary_file: str = "summary.json"
    printed: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def tables(self) -> "Mapping[str, pd.DataFrame]":
        """The tables of the folder as DataFrames, by the name of their CSV file; an empty cell is a missing value."""
        import pandas as pd

        return {name: pd.DataFrame(rows, columns=self.columns.get(name)) for name, rows in self.rows.items()}

    def summary(self) -> dict[str, Any]:
        """The result in one mapping, fit for JSON: the content of `summary.json`."""
        return dict(self.content)

    def plot(self, *names: str) -> "Figure":
        """Draw the main figure of the folder, the one of that name, or outcomes where `draw` takes their names.

        Raises:
            UserError: there is no such figure.
        """
        name = FILES.get(names[0], names[0]) if names else next(iter(self.figures), "(no figure)")
        if name in self.figures:
            return self.figures[name]()
        if self.other is None:
            raise UserError("draw", name, one_of(self.figures, name))
        return self.other(*names)

    def save(self, folder: Path | str) -> Path:
        """Write what the command writes, all of it or nothing, and return the folder.

        Raises:
            UserError: nothing can be written there, something else stands there, or an extension is no file.
        """
        with result_folder(replace(self.request, home=Path(folder)), self.config) as made:
            self.write(made)
        return made.final

    def write(self, folder: Folder) -> None:
        """Write everything that the folder holds."""
        from sim.reporting.style import save_both

        folder.json(self.summary_file, self.content)
        for name, rows in self.rows.items():
            folder.csv(f"{name}.csv", rows)
        for name, figure in self.figures.items():
            save_both(figure(), folder.path(name))
        self.more(folder)

    def publish(self, folder: Folder) -> None:
        """Print and write."""
        show(*self.text())
        show_json({**self.content, **self.printed})
        self.write(folder)

    def __repr__(self) -> str:
        tables = ", ".join(f"{name} ({len(rows)} rows)" for name, rows in self.rows.items())
        sizes = ", ".join(f"{name}: {size}" for name, size in self.data.sizes.items())
        return f"<{self.request.verb} of {self.config.scenario.name}; data ({sizes}); tables {tables}>"

    def _repr_markdown_(self) -> str | None:
        shown: str | None = getattr(self.found, "_repr_markdown_", lambda: None)()
        return shown


@dataclass(frozen=True)
class Job(Generic[Found]):
    """A study that is composed and checked, and not simulated yet.

    `watch` shows progress while a command computes; `label` is what the name of its folder says besides.
    """

    request: Request
    config: Config
    compute: Callable[[Progress | None], Result[Found]]
    watch: Callable[[Folder], AbstractContextManager[Progress | None]] = lambda _: nullcontext()
    label: str = ""


def request_of(
    verb: str, study: Study, given: Mapping[str, Any], *options: Options, make: Callable[[str, Any], str] = override_of
) -> tuple[Request, Request]:
    """The request of a Python call, as a command would make it, and the same without options of the verb.

    Args:
        verb: the verb.
        study: what every call takes.
        given: values of further keys; None leaves a key as it is.
        options: the options of the verb.
        make: makes an override of a key and a value.
    """
    added = study.get("extensions", ())
    keys = {**given, "seed": study.get("seed"), "engine.threads": study.get("threads"), "output.dir": study.get("to")}
    texts = override_texts(
        study.get("overrides", {}),
        {key: str(value) if isinstance(value, Path) else value for key, value in keys.items()},
        [one for one in added if not isinstance(one, Extension)],
        make,
    )
    folder = study.get("config_dir")
    objects = tuple(one for one in added if isinstance(one, Extension))
    rest = Request(verb, tuple(texts), None if folder is None else Path(folder), extensions=objects)
    check_read(verb, rest.overrides)
    spelled = [text for one in options for text in spelled_options(one)]
    return replace(rest, overrides=(*spelled, *rest.overrides)), rest


def call(job: Job[Found], study: Study) -> Result[Found]:
    """Carry out a Python call: compute, and write the folder where `to` names one."""
    progress, to = study.get("progress") or (lambda _: None), study.get("to")
    with connected(cluster_of(job.config)) as client:
        if to is None:
            return job.compute(Checkpoints(None, progress, client))
        with result_folder(replace(job.request, home=Path(to)), job.config) as folder:
            result = job.compute(Checkpoints(folder.work, progress, client))
            result.write(folder)
    return result


def carry_out(prepare: Callable[[], Job[Any]]) -> None:
    """Carry out a command: compose, compute, print, and leave a folder."""
    with waiting("composing"):
        job = prepare()
    with result_folder(job.request, job.config, label=job.label) as folder:
        with job.watch(folder) as advance:
            result = job.compute(advance)
        result.publish(folder)
    show_files(folder, result)


def show_files(folder: Folder, result: Result[Any]) -> None:
    """Say where everything is."""
    show(f"\nFiles in {escape(shown_path(folder.final))}: {result.files}.")
