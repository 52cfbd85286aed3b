"""A sweep on its way: its store begun or gone on with, what is missing made part by part."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from sim.study.inputs import recorded
from sim.study.provenance import DECIDING_LIBRARIES, config_text, source_hash, versions
from sim.study.sweep.cluster import cluster_rows, connected, threads_of
from sim.study.sweep.disk import PARTIAL, disk_problem, write_aside
from sim.study.sweep.forecast import Forecast, forecast
from sim.study.sweep.identity import ABSENT, check_same
from sim.study.sweep.lock import locked
from sim.study.sweep.opened import open_store
from sim.study.sweep.plan import Batch, Part, parts_for, runs_of
from sim.study.sweep.points import check_points, part_digest, point_columns, points_of, write_points
from sim.study.sweep.precision import next_runs, unmet
from sim.study.sweep.prepared import Sweep
from sim.study.sweep.store import CONFIG, FORMAT, MAKER, PARTS_FOLDER, POINTS, VERB, Store, check_free, read_store, void
from sim.study.sweep.work import Rows, live
from sim.world.errors import UserError

Progress = Callable[[int], None]
Say = Callable[[str], None]


class Running:
    """A sweep with its store open and locked: what it will cost, and the going on."""

    def __init__(self, sweep: Sweep, store: Store, client: Any, say: Say) -> None:
        self.sweep = sweep
        self.store = store
        self._client = client
        self._say = say

    @property
    def missing(self) -> list[Part]:
        """Parts that are still to be made."""
        return self.store.missing()

    def forecast(self) -> Forecast:
        """What is left to do, before any more for precision."""
        workers = None if self._client is None else threads_of(self._client)
        return forecast(self.sweep.work, self.missing, self.sweep.config.threads, workers)

    def make(self, progress: Progress | None = None) -> None:
        """Make what is missing, part by part.

        Raises:
            UserError: the disk is full or does not take it.
        """
        parts = self.missing
        about = self.sweep.work.columns
        rows = self._rows((batch for part in parts for batch in part.batches()), progress)
        for part in parts:
            with self.store.writing(part, about, digest_in(self.sweep, part)) as writer:
                for _ in part.batches():
                    writer.add(next(rows))

    def _rows(self, batches: Iterable[Batch], progress: Progress | None) -> Iterator[Rows]:
        if self._client is not None:
            return cluster_rows(self._client, self.sweep.work, batches, progress)
        return (live(self.sweep.work, batch, self.sweep.config.threads, progress) for batch in batches)

    def refine(self) -> int:
        """Plan more runs for points that miss a tolerance; the number of histories that were added.

        What `make` was to make has to be there.
        """
        if not self.sweep.asked:
            return 0
        have = runs_of(self.store.parts, self.store.points)
        misses = unmet(open_store(self.store), have, self.sweep.asked)
        want = next_runs(have, misses, self.sweep.settings.most_runs)
        added = parts_for(have, want, len(self.store.parts))
        if added:
            self.store = self.store.planning(added)
        elif misses.any():
            most = self.sweep.settings.most_runs
            self._say(f"{int(misses.sum()):,} of {len(misses):,} points miss study.precision after {most:,} runs")
        return sum(part.rows for part in added)

    def finish(self) -> None:
        """Say in the manifest that nothing is missing."""
        if self.store.manifest["finished"] is None:
            self.store = self.store.save(finished=datetime.now(UTC).isoformat(timespec="seconds"))


@contextmanager
def running(sweep: Sweep, say: Say = void) -> Iterator[Running]:
    """Open the store of a sweep: begin it, or go on with it, or add points and runs to it.

    Args:
        sweep: what is asked for.
        say: told, in a sentence each, what a user should know.

    Raises:
        UserError: another process writes there, something else stands there, or what stands there is another sweep.
    """
    folder = sweep.folder
    if sweep.config.overwrite:
        raise UserError("output.overwrite", True, "false; a sweep goes on with its own folder and replaces no other")
    check_here(folder)
    if read_store(folder) is None:
        check_free(folder)
    cluster = sweep.cluster
    with connected(cluster) if cluster is not None else nullcontext() as client:
        try:
            (folder / PARTS_FOLDER).mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise disk_problem(folder, problem, "") from None
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


def check_here(folder: Path) -> None:
    """Refuse a folder that holds the current one."""
    here = Path.cwd()
    if folder == here or folder in here.parents:
        raise UserError("output.dir", folder, "a folder that does not hold the current one")


def begin(sweep: Sweep, folder: Path, say: Say) -> Store:
    """Write what a new store begins with: points, configuration, and last the manifest.

    Raises:
        UserError: there are parts of another sweep or made with other libraries, or the disk does not take it.
    """
    store = Store(folder, manifest(sweep))
    store.check_parts(lambda part: digest_in(sweep, part), store.damaged())
    try:
        points = write_points(sweep.work, sweep.groups, folder)
        text = config_text(sweep.config).encode()
        write_aside(folder / CONFIG, lambda file: void(file.write(text)))
        store = store.save(points_digest=points)
    except OSError as problem:
        raise disk_problem(folder, problem, "") from None
    # Parts without a manifest are those of a store that was cut short by hand; those that are whole are kept.
    return go_on(sweep, store, say) if store.finished() else store


def digest_in(sweep: Sweep, part: Part) -> str:
    """Checksum of what the points of a part stand for."""
    return part_digest(points_of(sweep.work, sweep.groups, part), part)


def go_on(sweep: Sweep, store: Store, say: Say) -> Store:
    """Check that a store is of this sweep, drop what is damaged, and plan the points and runs that are new.

    Raises:
        UserError: it is another sweep, holds parts of one, cannot grow as asked, or began with other libraries.
    """
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
        raise disk_problem(store.folder, problem, "") from None


def check_versions(sweep: Sweep, makers: Sequence[Mapping[str, Any]], more: bool, say: Say) -> None:
    """Report libraries that differ from those of the manifest and the parts; refuse to compute `more` with some.

    Raises:
        UserError: numba, llvmlite or numpy differs, on which the last bits of results may depend.
    """
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
    parts = parts_for(np.zeros(work.points, dtype=np.int64), np.full(work.points, sweep.runs), 0)
    rows = live(work, Batch((0, 1), (0, 1)), 1)
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
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "finished": None,
        "source_hash": source_hash(),
        "versions": versions(),
        "theatres": list(sweep.theatres),
        "columns": {
            name: {"dtype": str(rows[name].dtype), "attrs": about}
            for name, about in work.columns.items()
        },
        "point_columns": point_columns(sweep.work, sweep.groups),
        "identity": sweep.identity,
        "parts": [[part.points, part.runs] for part in parts],
    }  # fmt: skip
