"""A sweep from its overrides to its summary: cost, parts made or resumed, results by point; `sweep` for Python."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from sim.experiment.cluster import cluster_of, connected, on_workers, threads_of
from sim.experiment.command import Request
from sim.experiment.dataset import outcomes_in, outcomes_of
from sim.experiment.io import PARTIAL, HashingFile, disk_problem, locked, now, write_atomic
from sim.experiment.options import SIZES, StudyOptions
from sim.experiment.result_dir import (
    DECIDING_LIBRARIES,
    MAKER,
    config_text,
    recorded,
    refuse_current,
    source_hash,
    versions,
)
from sim.experiment.runner import Arm, CostEstimate, Progress, rate_of
from sim.experiment.statistics import Array, finite
from sim.experiment.sweep.axes import Axes, read_axes
from sim.experiment.sweep.configs import (
    ABSENT,
    Group,
    check_same,
    compose_groups,
    composed,
    composer,
    identity,
    short_hash,
)
from sim.experiment.sweep.design import (
    Batch,
    Design,
    Part,
    parts_for,
    runs_of,
)
from sim.experiment.sweep.profiles import AtPoints, Judgement, at_points, judgements, next_runs, unmet
from sim.experiment.sweep.store import (
    CONFIG,
    COUNTED,
    FORMAT,
    PARTS_FOLDER,
    POINTS,
    VERB,
    PartWriter,
    Store,
    check_free,
    open_store,
    part_digest,
    read_store,
    void,
)
from sim.experiment.sweep.worker import (
    Rows,
    Work,
    check_points,
    point_columns,
    points_of,
    simulate,
    write_points,
)
from sim.model.extension import requested_extensions
from sim.model.scenario import Config
from sim.model.validation import UserError

MOST_POINTS: Final = 10_000
"""A table of more points is too long to read; the histories are in the store."""


def findings(data: xr.Dataset, have: Array) -> tuple[AtPoints, ...]:
    """Every outcome of a sweep at each point, from the `have` (P,) runs that the point has."""
    return tuple(at_points(data, name, have) for name in outcomes_in(data.variables))


def point_rows(data: xr.Dataset, have: Array, found: tuple[AtPoints, ...]) -> list[dict[str, Any]]:
    """The table: what each point stands for, its runs, and each outcome with its error; None for what is infinite."""
    about = {str(name): data[name].values for name in data.coords if data[name].dims == ("point",)}
    columns: dict[str, Array] = {**about, "runs": have}
    for one in found:
        columns[f"{one.name} ({one.by})"] = one.values
        columns[f"{one.name} (error)"] = one.errors
    return [
        dict(zip(columns, row, strict=True)) for row in zip(*(_plain(one) for one in columns.values()), strict=True)
    ]


def _plain(column: Array) -> list[Any]:
    if column.dtype.kind == "M":
        return list(column.astype("datetime64[s]").astype(str).tolist())
    if column.dtype.kind != "f":
        return list(column.tolist())
    return [value if np.isfinite(value) else None for value in column.tolist()]


def summary(sweep: "Sweep", store: Store, have: Array, found: tuple[AtPoints, ...]) -> dict[str, Any]:
    """The content of `summary.json`: each outcome in its range over the points, and its largest error."""
    axes = store.manifest["identity"]
    return {
        "scenario": sweep.config.scenario.name,
        "question": sweep.config.scenario.question,
        "seed": sweep.config.seed,
        "points": store.points,
        "runs": {"least": int(have.min()), "most": int(have.max())},
        "histories": int(have.sum()),
        "design": sweep.design.kind,
        "varied": {key: axes.get(key, "") for key in (*sweep.design.keys, *sweep.groups[0].labels)},
        "policies": sweep.settings.policies,
        "outcomes": {
            one.name: {
                "unit": one.unit,
                "of": one.by,
                "lowest": finite(one.values.min()),
                "highest": finite(one.values.max()),
                "largest_error": finite(one.errors.max()),
            }
            for one in found
        },
    }


ORDERED: Final = ("factorial", "table")
"""Designs whose neighbouring points are alike; any range of the others is like the whole."""


def forecast(work: Work, missing: list[Part], threads: int, workers: int | None = None) -> CostEstimate:
    """Simulate a few histories from all over the sweep and see how long they take and how much room.

    Args:
        work: the sweep.
        missing: parts that are to be made.
        threads: of this process; 0 is every core.
        workers: threads of a cluster that will do it instead, each taken to be like one of ours.
    """
    count = sum(part.rows for part in missing)
    if not count:
        return CostEstimate()
    rows: Rows = {}

    def some(histories: int) -> int:
        nonlocal rows
        rows = simulate(work, trial(work, missing, histories), 1 if workers else threads)
        return len(rows["run"])

    rate = rate_of(some, count) * (workers or 1)
    return CostEstimate(count, count / rate, disk=expected_size(work, rows, count, len(missing)))


def trial(work: Work, missing: list[Part], histories: int) -> Batch:
    """Some histories of the missing parts: from all over where points are ordered, else as they come."""
    start, stop = min(part.points[0] for part in missing), max(part.points[1] for part in missing)
    count = min(histories, stop - start)
    run = missing[0].runs[0]
    runs = (run, run + max(1, histories // count))
    if work.design.kind not in ORDERED:
        return Batch((start, start + count), runs)
    chosen = np.unique(np.linspace(start, stop - 1, count).astype(np.int64))
    return Batch((start, stop), runs, tuple(chosen.tolist()))


def expected_size(work: Work, rows: Rows, histories: int, parts: int) -> int:
    """Bytes on the disk: what every part has besides its histories, and what each of these adds."""

    def stored(some: Rows) -> int:
        sink = HashingFile(io.BytesIO())
        writer = PartWriter(sink, work.columns, {})
        writer.add(some)
        writer.close()
        return sink.tell()

    frame = stored({name: column[:1] for name, column in rows.items()})
    return int(parts * frame + histories * (stored(rows) - frame) / len(rows["run"]))


DEFAULT_RUNS: Final = SIZES[VERB].runs
"""Runs of each point where nothing is said: the error of a share is then at most 0.05."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sweep:
    """A sweep as it was asked for, composed and checked."""

    request: Request
    axes: Axes
    settings: StudyOptions
    design: Design
    groups: tuple[Group, ...]

    @property
    def config(self) -> Config:
        """The first configuration, which also holds what is common to all."""
        return self.groups[0].config

    @property
    def crossing(self) -> int:
        """Configurations that every point of the design has."""
        return len(self.groups) // len(self.design.variants)

    @property
    def runs(self) -> int:
        """Runs of each point, before any more for precision."""
        return self.config.runs

    @property
    def histories(self) -> int:
        """All histories, before any more for precision."""
        return self.work.points * self.runs

    @cached_property
    def work(self) -> Work:
        """What a worker has to know of it."""
        arms = tuple(Arm(group.config.scenario, group.kept) for group in self.groups)
        return Work(self.design, arms, self.crossing, self.config.seed, self.settings.outcomes)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What results depend on besides the number of points and runs."""
        return identity(self.axes, self.settings, self.design, self.groups)

    @property
    def asked(self) -> tuple[Judgement, ...]:
        """Tolerances that every point is to meet."""
        return judgements(self.settings.precision, outcomes_of(self.config.scenario))

    @property
    def folder(self) -> Path:
        """Where it is kept: as asked, else a name that the same sweep always has, however many points and runs."""
        asked = self.request.home or self.config.output_dir
        if asked is not None:
            return asked.resolve()
        scenario, shard = self.config.scenario.name.replace("/", "-"), self.settings.shard
        share = "" if shard is None else f"-shard{shard.number}of{shard.shares}"
        return Path.cwd() / "outputs" / f"sweep-{scenario}-seed{self.config.seed}-{short_hash(self.identity)}{share}"

    @cached_property
    def planned(self) -> list[Part]:
        """The parts of a new store."""
        points = self.work.points
        return parts_for(np.zeros(points, dtype=np.int64), np.full(points, self.runs), 0)


def prepare(request: Request, table: pd.DataFrame | None = None) -> Sweep:
    """Read and check a sweep; nothing is computed or written.

    Args:
        request: the overrides; those that ask for several values make the axes.
        table: points, one per row, in place of `study.table`.
    """
    request.check_kept()
    added = requested_extensions(request.overrides, ())
    axes = read_axes(request.overrides, request.config_dir, added)
    if not any(one.partition("=")[0] == "study.runs" for one in axes.fixed):
        axes = Axes((f"study.runs={DEFAULT_RUNS}", *axes.fixed), axes.numbers, axes.choices)
    compose = composer(request.config_dir)
    _, settings, design = composed(axes, compose, table)
    groups = compose_groups(axes, settings.policies, design, compose)
    sweep = Sweep(request, axes, settings, design, groups)
    for name in design.carried:
        if name in (*sweep.work.columns, *COUNTED, "runs", "theatre", "window"):
            raise UserError("study.ignore", name, "names that a stored sweep does not use itself; rename the column")
    return sweep


class Running:
    """A sweep with its store open and locked: what it will cost, and the going on."""

    def __init__(self, sweep: Sweep, store: Store, client: Any, say: Say) -> None:
        self.sweep = sweep
        self.store = store
        self._client = client
        self._say = say

    @property
    def missing(self) -> list[Part]:
        """Parts that are still to be made, of its shard where it has one."""
        shard = self.sweep.settings.shard
        return [part for part in self.store.missing() if shard is None or shard.holds(part)]

    def forecast(self) -> CostEstimate:
        """What is left to do, before any more for precision."""
        workers = None if self._client is None else threads_of(self._client)
        return forecast(self.sweep.work, self.missing, self.sweep.config.threads, workers)

    def make(self, progress: Progress | None = None) -> None:
        """Make what is missing, part by part."""
        parts = self.missing
        about = self.sweep.work.columns
        rows = self._rows((batch for part in parts for batch in part.batches()), progress)
        for part in parts:
            with self.store.writing(part, about, digest_in(self.sweep, part)) as writer:
                for _ in part.batches():
                    writer.add(next(rows))

    def _rows(self, batches: Iterable[Batch], progress: Progress | None) -> Iterator[Rows]:
        work = self.sweep.work
        if self._client is not None:
            return on_workers(self._client, lambda batch, done: simulate(work, batch, 1, done), batches, progress)
        return (simulate(work, batch, self.sweep.config.threads, progress) for batch in batches)

    def refine(self) -> int:
        """Plan more runs for points that miss a tolerance; the number of histories that were added.

        What `make` was to make has to be there.
        """
        if not self.sweep.asked:
            return 0
        have = runs_of(self.store.parts, self.store.points)
        misses = unmet(open_store(self.store), have, self.sweep.asked)
        want = next_runs(have, misses, self.sweep.settings.max_runs)
        added = parts_for(have, want, len(self.store.parts))
        if added:
            self.store = self.store.planning(added)
        elif misses.any():
            most = self.sweep.settings.max_runs
            self._say(f"{int(misses.sum()):,} of {len(misses):,} points miss study.precision after {most:,} runs")
        return sum(part.rows for part in added)

    def finish(self) -> None:
        """Say in the manifest that nothing is missing."""
        if self.store.manifest["finished"] is None and not self.store.missing():
            self.store = self.store.save(finished=now())


@contextmanager
def running(sweep: Sweep, say: Say = void) -> Iterator[Running]:
    """Open the store of a sweep: begin it, or go on with it, or add points and runs to it.

    Args:
        sweep: what is asked for.
        say: called with sentences that a user should read.

    Raises:
        UserError: another process writes there, something else stands there, or what stands there is another sweep.
    """
    folder = sweep.folder
    if sweep.config.overwrite:
        raise UserError("output.overwrite", True, "false; a sweep goes on with its own folder and replaces no other")
    refuse_current(folder)
    if read_store(folder) is None:
        check_free(folder)
    with connected(cluster_of(sweep.config)) as client:
        try:
            (folder / PARTS_FOLDER).mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise disk_problem(folder, problem) from None
        with locked(folder) as left:
            for half in folder.rglob(f".*{PARTIAL}"):
                half.unlink()
            store = read_store(folder)
            if store is None:
                store = begin(sweep, folder, say)
            else:
                if left is not None:
                    say(f"{left} ended without finishing; going on from what it left")
                store = go_on(sweep, store, say)
            yield Running(sweep, store, client, say)


def begin(sweep: Sweep, folder: Path, say: Say) -> Store:
    """Write what a new store begins with: points, configuration, and last the manifest."""
    store = Store(folder, manifest(sweep))
    store.check_parts(lambda part: digest_in(sweep, part), store.damaged())
    try:
        points = write_points(sweep.work, sweep.groups, folder)
        write_atomic(folder / CONFIG, config_text(sweep.config))
        store = store.save(points_digest=points)
    except OSError as problem:
        raise disk_problem(folder, problem) from None
    # Parts without a manifest are those of a store that was cut short by hand; those that are whole are kept.
    return go_on(sweep, store, say) if store.finished() else store


def digest_in(sweep: Sweep, part: Part) -> str:
    """Checksum of what the points of a part stand for."""
    return part_digest(points_of(sweep.work, sweep.groups, part), part)


def go_on(sweep: Sweep, store: Store, say: Say) -> Store:
    """Check that a store is of this sweep, drop what is damaged, and plan the points and runs that are new."""
    check_same(store.manifest["identity"], sweep.identity, store.folder)
    check_growth(sweep, store)
    points_kept = check_points(sweep.work, sweep.groups, store)
    damaged = store.damaged()
    stated = store.check_parts(lambda part: digest_in(sweep, part), damaged)
    points = sweep.work.points
    have = np.zeros(points, dtype=np.int64)
    have[: store.points] = runs_of(store.parts, store.points)
    added = parts_for(have, np.maximum(have, sweep.runs), len(store.parts))
    more = bool(added or damaged or store.missing() or sweep.asked)
    check_versions(sweep, [store.manifest, *stated], more, say)
    if not points_kept:
        say(f"{POINTS} is damaged: its points are not those that were written; it is written anew")
        write_points(sweep.work, sweep.groups, store.folder)
    for path in damaged:
        say(f"{path.name} is damaged: its bytes are not those that were written; it is made anew")
        path.unlink()
    if not added and points == store.points:
        return store
    try:
        asked = {
            "command": sweep.request.command,
            "overrides": list(sweep.request.overrides),
            "inputs": recorded(sweep.request, store.folder),
        }
        changed = {"points": points, "runs": sweep.runs, "finished": None, **asked}
        if points > store.points:
            changed["points_digest"] = write_points(sweep.work, sweep.groups, store.folder)
        return store.planning(added, **changed)
    except OSError as problem:
        raise disk_problem(store.folder, problem) from None


def check_versions(sweep: Sweep, makers: Sequence[Mapping[str, Any]], more: bool, say: Say) -> None:
    """Report libraries that differ from those of the manifest and the parts; refuse to compute `more` with some."""
    for name, here in versions().items():
        was = " and ".join(dict.fromkeys(one["versions"].get(name, ABSENT) for one in makers))
        if was == here:
            continue
        if more and name in DECIDING_LIBRARIES and not sweep.settings.accept_versions:
            how = f"{was}, as in {sweep.folder}; study.accept_versions=true goes on with {here}; or another output.dir"
            raise UserError(name, here, how)
        say(f"{name} is {here}; what is there was made with {was}")


def check_growth(sweep: Sweep, store: Store) -> None:
    """Refuse fewer points or runs than there are, and more points where the design cannot keep the old ones."""
    before, now = store.points // sweep.crossing, sweep.design.samples
    key = "study.table" if sweep.design.kind == "table" else "study.points"
    if now > before and sweep.design.fixed_size is not None:
        raise UserError(key, now, f"{before}, as in {store.folder}: {sweep.design.fixed_size}")
    if now < before:
        raise UserError(key, now, f"{before} or more, as in {store.folder}")
    if sweep.runs < store.manifest["runs"]:
        raise UserError("study.runs", sweep.runs, f"{store.manifest['runs']} or more, as in {store.folder}")


def manifest(sweep: Sweep) -> dict[str, Any]:
    """What a new store says of itself."""
    request, config, work = sweep.request, sweep.config, sweep.work
    rows = simulate(work, Batch((0, 1), (0, 1)), 1)
    return {
        "made_by": MAKER,
        "format": FORMAT,
        "verb": VERB,
        "command": request.command,
        "overrides": list(request.overrides),
        "config_dir": None if request.config_dir is None else str(request.config_dir.resolve()),
        "inputs": recorded(request, sweep.folder),
        "scenario": config.scenario.name,
        "seed": config.seed,
        "points": work.points,
        "runs": sweep.runs,
        "design": sweep.design.kind,
        "policies": sweep.settings.policies,
        "began": now(),
        "finished": None,
        "source_hash": source_hash(),
        "versions": versions(),
        "theatres": list(config.scenario.cast.theatres),
        "columns": {
            name: {"dtype": str(rows[name].dtype), "attrs": about}
            | ({"days": rows[name].shape[1]} if rows[name].ndim > 1 else {})
            for name, about in work.columns.items()
        },
        "point_columns": point_columns(sweep.work, sweep.groups),
        "identity": sweep.identity,
        "parts": [[part.points, part.runs] for part in sweep.planned],
    }  # fmt: skip
