"""Checks of Lull itself: `lull verify FOLDER`, `lull check-extension FILE` and `lull bench`."""

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.markup import escape

from sim.analysis.verification import Verified, asked_for, manifest_of, verify_folder, verify_sweep
from sim.commands import module_of
from sim.experiment.benchmark import SIZES, USUAL, growth, measure, steps_of
from sim.experiment.command import Request, check_read, override_texts, split_options
from sim.experiment.extension_check import ParityCheck, check_parity
from sim.experiment.options import BenchOptions, CheckExtensionOptions, VerifyOptions
from sim.experiment.result_dir import restored, result_folder
from sim.experiment.sweep.store import VERB as SWEEP
from sim.model.extension import Extension
from sim.model.scenario import keyed_title
from sim.model.validation import UserError
from sim.reporting.table import Table, written
from sim.reporting.terminal import progress, show, show_json, shown_path, waiting

DIFFERENT: Final = 1
"""Exit code where a folder is not what its manifest makes, or engines differ."""


def main(request: Request) -> int:
    """Carry out one of the verbs; its exit code."""
    verbs = {"verify": verify_command, "check-extension": check_extension_command, "bench": bench_command}
    return verbs[request.verb](request)


# --- lull verify ----------------------------------------------------------------------------------------------


def verify_command(request: Request) -> int:
    """Make a folder of results again and name the first difference; 0 where every result is the same to the bit."""
    options, rest = request.options(VerifyOptions)
    folder, manifest = asked_for(options.folder, rest)
    if manifest["verb"] == SWEEP:
        with progress(manifest["points"] * manifest["runs"], "histories") as advance:
            found = verify(folder, advance, options.trust)
    else:
        with waiting(f"making {manifest['verb']} again"):
            found = verify(folder, trust=options.trust)
    place = escape(shown_path(folder))
    show_json({"folder": str(folder), "verb": manifest["verb"], "same": found.first is None, **asdict(found)})
    for one in found.elsewhere:
        show(escape(f"made by {one}"))
    if found.pictures:
        show(f"drawn otherwise here, from the same numbers: {', '.join(found.pictures)}")
    if found.others:
        show(f"not compared, for they are worked out from the histories: {escape(', '.join(found.others))}")
    if found.first:
        show(f"{place} differs. First difference: {escape(found.first)}")
    else:
        show(f"{place} is what its manifest makes: {found.compared} files, no difference.")
    return DIFFERENT if found.first else 0


def verify(folder: Path | str, progress: Callable[[int], None] | None = None, trust: bool = False) -> Verified:
    """Make a folder of results again from its manifest and compare, to the last bit.

    Args:
        folder: what a verb of `lull` left behind.
        progress: called with numbers of finished histories, where the folder holds a sweep.
        trust: whether the extensions and configuration files that the folder keeps may be used; extensions are code
            that this would run.

    Returns:
        How many files were compared and the first difference, None where there is none.

    Raises:
        UserError: it is no result of ours, or its command cannot be given any more; one line.
    """
    place = Path(folder).resolve()
    manifest = manifest_of(place)
    if manifest["verb"] == SWEEP:
        return verify_sweep(place, trust, progress=progress)
    return verify_by_making(place, manifest, trust)


def verify_by_making(folder: Path, manifest: dict[str, Any], trust: bool = False) -> Verified:
    """Carry out the verb of a folder again, elsewhere and unheard, and compare."""
    with TemporaryDirectory(prefix="lull-verify-") as scratch:
        place = Path(scratch).resolve()
        again = place / "again"
        request = restored(manifest, folder, place, again, trust)
        check_read(request.verb, split_options(request)[1].overrides)
        with redirect_stdout(io.StringIO()):
            try:
                import_module(module_of(request.verb)).main(request)
            except UserError:
                raise
            except Exception as problem:
                allowed = f"a command that can be given again; it ends with {type(problem).__name__}: {problem}"
                raise UserError("verify", folder, allowed) from problem
        if not again.is_dir():
            raise UserError("verify", folder, "a command that leaves results")
        return verify_folder(folder, again)


# --- lull check-extension -------------------------------------------------------------------------------------


def check_extension_command(request: Request) -> int:
    """Simulate histories with every engine; 0 where all agree to the bit."""
    options, rest = request.options(CheckExtensionOptions)
    if options.file is None:
        raise UserError("check-extension", "(missing)", "one Python file that defines an Extension")
    with waiting("compiling, and simulating histories with every engine"):
        found = check_parity(options.file, rest.overrides, config_dir=rest.config_dir)
    name = escape(str(options.file))
    show_json({"file": str(options.file), "same": found.first is None, **asdict(found)})
    if found.first:
        show(f"{name}: the engines differ. First difference: {escape(str(found.first))}")
        return DIFFERENT
    show(f"{name}: {found.histories} histories, the same in every engine, to the bit.")
    return 0


def check_extension(
    extension: Extension | Path | str,
    *,
    runs: int = 1,
    overrides: Mapping[str, Any] = {},
    config_dir: Path | str | None = None,
) -> ParityCheck:
    """Simulate some histories by every engine with an extension and compare every state of every day, bit by bit.

    Args:
        extension: it, or the file that defines it.
        runs: histories for each of two seeds and six sets of parameters: as configured, those of the extension at their
            ends, and the rest drawn from the declared ranges and priors.
        overrides: configuration keys and values, such as `{"scenario": "tight_leash"}`.
        config_dir: a folder with files of your own.

    Raises:
        UserError: the extension cannot be used at all.
    """
    return check_parity(extension, override_texts(overrides), runs, config_dir)


# --- lull bench -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    """One line of the table: what it is, its unit, what we ask of it."""

    text: str
    unit: str
    asked: str = ""


FIGURES: Final = {
    "agent_day_ns_core": Timing("one wing-day of the kernel on one core", "ns"),
    "mesa_ms_per_history": Timing("a history of 134 days in the reference model", "ms", "15 or less"),
    "ratio_vs_mesa_core": Timing("reference model / kernel, one core", "x"),
    "ratio_vs_philox_draw": Timing("kernel / one float64 draw of numpy's Philox", "x", "2.8 or less"),
    "draws_per_agent_day": Timing("draws that the rules use in a wing-day", "draws"),
    "speed_up_threads": Timing("speed of two threads / of one", "x"),
    "speed_up_processes": Timing("the same for two processes that only spin", "x"),
    "thread_efficiency": Timing("the first of these / the second", "x", "0.9 or more"),
    "mixed_block_ratio": Timing("one run per point / 10,000 runs per point", "x", "1.3 or less"),
    "sweep_full": Timing("a sweep with everything simulated, one core", "histories/s"),
    "sweep_lean": Timing("the same of lull_days alone", "histories/s"),
    "sweep_cost_ratio": Timing("cost of the second / of the first", "x", "0.85 or less"),
    "compare_full": Timing("four scenarios, each simulated whole, one core", "histories/s"),
    "compare_lean": Timing("the same, what is alike simulated once", "histories/s"),
    "compare_cost_ratio": Timing("cost of the second / of the first", "x", "0.7 or less"),
    "explain_full": Timing("each mechanism missing in turn, everything simulated", "histories/s"),
    "explain_lean": Timing("the same of lull_days alone", "histories/s"),
    "explain_cost_ratio": Timing("cost of the second / of the first", "x", "0.65 or less"),
}


GROWTH: Final = {
    "runs": "Runs",
    "days": "Days",
    "wings": "Wings",
    "seconds": "Seconds",
    "agent_day_ns": "ns a wing-day",
    "agent_day_ns_core": "ns a wing-day and core",
    "low": "Lower quartile",
    "high": "Upper quartile",
    "peak_mib": "Peak memory (MiB)",
}
"""Headings of the tables of growth."""


def bench_command(request: Request) -> int:
    """Measure how fast the kernel is here; `bench.full=true` adds growth with runs, days and wings."""
    options, rest = request.options(BenchOptions)
    config = rest.config()
    with result_folder(request, config) as folder:
        show("Measuring for one to five minutes; what else runs on this machine now will show.")
        with progress(steps_of(USUAL), "rounds") as advance:
            found = measure(config, done=lambda: advance(1))
        show(figure_table(found), remarks(found))
        if options.full:
            found["growth"] = grown(rest, found)
        folder.json("bench.json", found)
        show_json(found)
    show(f"\nFiles in {escape(shown_path(folder.final))}: bench.json, with every sample behind the figures.")
    return 0


def grown(request: Request, found: Mapping[str, Any]) -> dict[str, Any]:
    """Measure growth and print it, with a forecast before."""
    config = request.config()
    long = replace(request, overrides=(*request.overrides, f"calendar.days={SIZES.days[-1]}")).config()
    agent_days = sum(SIZES.runs) * config.scenario.calendar.days * len(config.scenario.cast.wings)
    minutes = agent_days * found["agent_day_ns_core"] / found["speed_up_threads"] / 60e9
    show(f"Growth with runs, days and wings: about {minutes + 1:.0f} minutes.")
    with progress(SIZES.steps, "sizes") as advance:
        tables = growth(config, long, done=lambda: advance(1))
    for key, cores in (("runs", "all cores"), ("days", "one core"), ("wings", "one core")):
        columns = tuple(written(name, GROWTH[name], _number) for name in tables[key][0])
        show(Table(f"Growth with {key}, {cores}", columns, tables[key]), *filter(None, [tables["notes"].get(key)]))
    return tables


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def figure_table(found: Mapping[str, Any]) -> Table:
    """The figures with their quartiles over the rounds, and what is asked of them."""
    rows = []
    for name, figure in FIGURES.items():
        around = found["quartiles"].get(name)
        quartiles = "" if around is None else f"{around[0]:.4g}–{around[2]:.4g}"
        rows.append((figure.text, f"{found[name]:.4g}", quartiles, figure.unit, figure.asked))
    return Table.of_texts(("Figure", "Median", "Quartiles", "Unit", "Target"), rows, "Speed")


def remarks(found: Mapping[str, Any]) -> str:
    """What a reader must know next to the table."""
    machine = found["machine"]
    return escape(
        f"{machine['processor']} ({machine['target']}, {machine['vectors']}), {machine['cores']} cores, load"
        f" {machine['load_before']} before and {machine['load_after']} after; scenario"
        f" {keyed_title(found['scenario'])}, seed {found['seed']}, {found['rounds']} rounds by turns."
    )
