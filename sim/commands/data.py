"""`lull data FILE`: what a file is, what the filters make of it, and a configuration to start from."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Final, Unpack

import xarray as xr
from rich.console import RenderableType
from rich.markup import escape

from sim.analysis.case_files import chosen_files
from sim.analysis.forecast.data_check import NO_RAPIDFUZZ, DataCheck, Proposal, check_data
from sim.analysis.forecast.forecasting import count_rows, reading_record
from sim.commands.calls.result import Job, Result, call, request_of, show_files
from sim.experiment.command import Request, Study, study_call
from sim.experiment.io import yaml_text
from sim.experiment.options import DataOptions
from sim.experiment.result_dir import CONFIGS, Folder, provenance, result_folder
from sim.experiment.runner import Progress
from sim.model.scenario import Config
from sim.model.validation import UserError
from sim.reporting.calibration_tables import reading_lines
from sim.reporting.figures import drawn
from sim.reporting.table import Column, Table
from sim.reporting.terminal import show, shown_path

FILTERS: Final = f"{CONFIGS}/filters/filters.yaml"
CALENDAR: Final = f"{CONFIGS}/timeline/calendar.yaml"
SCENARIO: Final = f"{CONFIGS}/scenario/own.yaml"
_SHOWN: Final = 12
"""Rows of a table that are printed; the folder has all."""
CANNOT_TELL: Final = (
    "What this cannot tell: whether an event was an attack. Names and types are the database's; read the filters before"
    " you use them."
)


def main(request: Request) -> None:
    """Carry out the verb."""
    options, rest = request.options(DataOptions)
    study = job(request, options, rest)
    with result_folder(request, study.config, label=study.label) as folder:
        result = study.compute(None)
        result.publish(folder)
    show_files(folder, result)
    show("", *use_lines(result.found, options.data, rest.config_dir, folder.final / CONFIGS))


@study_call
def inspect_data(data: Path | str, *, scenario: str | None = None, **study: Unpack[Study]) -> Result[DataCheck]:
    """Say what a file is, what the filters of a case make of it, and propose filters and a calendar.

    Args:
        data: a file of events or of counts (docs/own_events.md).
        scenario: name of a scenario file; None: `article`, or as the overrides say.
        **study: as in every call.

    Returns:
        `data` are attacks so far over `as_of_date` and `theatre`, none where the filters leave none; tables `types`,
        `actors`, `places`, `filters`, `near_pairs` and `strikes`; `found.proposal` the configuration to start from.

    Raises:
        UserError: the file or the configuration cannot be used; one line.
    """
    options = DataOptions(Path(data))
    request, rest = request_of("data", study, {"scenario": scenario}, options)
    return call(job(request, options, rest), study)


def job(request: Request, options: DataOptions, rest: Request) -> Job[DataCheck]:
    """The check as a study."""
    if options.data is None:
        raise UserError("data", "(missing)", "a file of events or of counts: lull data FILE")
    config = rest.config()
    name = "".join(sign if sign.isalnum() else "-" for sign in options.data.stem)[:40].strip("-")
    compute = partial(check_result, request, rest, config, options.data)
    return Job(request, config, compute, lambda _: nullcontext(None), name)


def check_result(request: Request, rest: Request, config: Config, file: Path, _: Progress | None) -> Result[DataCheck]:
    """Look at the file; `rest` is the request without options of the verb."""
    found = check_data(file, config)
    proposal = found.proposal
    assert proposal is not None
    near = [{key: one for key, one in row.items() if key != "aliases"} for row in found.near or ()]
    tables = {
        "types": found.types, "actors": found.actors, "places": found.places, "filters": found.filters,
        "near_pairs": near, "strikes": found.strikes,
    }  # fmt: skip
    rows = {name: one for name, one in tables.items() if one}
    if found.counts is not None:
        rows["counts"] = count_rows(found.counts, config.scenario.calendar)

    def text() -> Iterator[RenderableType]:
        yield from lines_of(found, file)
        yield from tables_of(found, near)
        yield from ("", CANNOT_TELL)

    def more(folder: Folder) -> None:
        for name, content in files_of(proposal, chosen_files(rest), file).items():
            folder.text(name, content)

    data = data_of(found, config)
    figure = drawn("forecast_figures", "so_far", data, config, file.name)
    return Result(
        request, config, data, found,
        rows=rows,
        content=record_of(found, file, config),
        figures={} if found.counts is None else {"attacks": figure},
        text=text,
        files=f"summary.json, attacks.png, the tables, and {CONFIGS}/ with filters.yaml and calendar.yaml to start",
        more=more,
        printed={name: one for name, one in rows.items() if name not in ("strikes", "counts")},
    )  # fmt: skip


def data_of(found: DataCheck, config: Config) -> xr.Dataset:
    """Attacks so far by date and theatre, as the filters of the case count them."""
    counts = found.counts
    if counts is None:
        return xr.Dataset(attrs=provenance(config))
    dates = [str(config.scenario.calendar.date_of(int(day))) for day in counts.ends]
    attacks = (("as_of_date", "theatre"), counts.split, {"units": "attacks"})
    places = {"as_of_date": dates, "theatre": list(counts.theatres)}
    total = ("as_of_date", counts.total, {"units": "attacks"})
    return xr.Dataset({"attacks": attacks, "total": total}, places).assign_attrs(provenance(config))


def record_of(found: DataCheck, file: Path, config: Config) -> dict[str, Any]:
    """The check in one mapping, fit for JSON, without a single row of the file."""
    assert found.proposal is not None
    reading, counts = found.reading, found.proposal.counts
    return {
        "scenario": config.scenario.name,
        "file": file.name,
        "what": found.what,
        "stored": found.table.stored,
        "encoding": found.table.encoding or None,
        "delimiter": found.table.delimiter or None,
        "hxl_tags": found.table.tags,
        "columns": list(found.table.header),
        "columns_guessed": found.columns or None,
        "rows": found.rows,
        "dates": None if reading is None else {"written": reading.form, "order": reading.order, "note": found.guess},
        "from": None if found.first is None else str(found.first),
        "to": None if found.last is None else str(found.last),
        "repeated_ids": found.repeats.get("repeated"),
        "revised_events": found.repeats.get("revised"),
        "strikes": len(found.strikes),
        "reading": None if found.counts is None else reading_record(found.counts),
        "refusal": found.refusal or None,
        "proposal": {
            "filters": found.proposal.filters,
            "timeline": found.proposal.timeline,
            "attacks": None if counts is None else int(counts.total[-1]),
            "problem": found.proposal.problem or None,
        },
    }


def lines_of(found: DataCheck, file: Path) -> Iterator[str]:
    """What the file is, and how it was read."""
    yield f"[bold]{escape(file.name)}[/]: {escape(found.what)}, {found.rows:,} rows, {len(found.table.header)} columns"
    yield f"  stored as {escape(found.table.words)}"
    if found.columns:
        taken = ", ".join(f"{what} = {one}" for what, one in found.columns.items())
        yield f"  [bold]columns guessed by their names[/], look at each: {escape(taken)}"
    if found.reading is not None and found.first is not None:
        deciding = f" ({found.reading.deciding!r} shows it)" if found.reading.deciding else ""
        yield f"  dates {found.first} to {found.last}, {escape(found.reading.form + deciding)}"
    if found.guess:
        yield f"  [bold]{escape(found.guess)}[/]"
    if repeated := found.repeats.get("repeated"):
        yield f"  rows that repeat an id: {repeated:,}; events with several versions: {found.repeats['revised']:,}"
    if found.strikes:
        dates = sorted(one["date"] for one in found.strikes)
        yield (
            f"  {len(found.strikes):,} rows have the attacked first, as strikes of the target have, {dates[0]} to"
            f" {dates[-1]}: strikes.csv"
        )
    yield ""
    if found.counts is None:
        yield f"With the filters of this case no attack is left: {escape(found.refusal)}"
    else:
        yield "With the filters of this case:"
        yield from (f"  {one}" for one in reading_lines(found.counts))


def tables_of(found: DataCheck, near: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """What stands in the file and what each filter drops."""
    names = {"types": "Types of events", "places": "Places", "actors": "Actors"}
    columns = {
        "types": (Column("type", "Type"), Column("events", "Rows", format=",d")),
        "places": (Column("place", "Place"), Column("theatre", "Theatre"), Column("events", "Rows", format=",d")),
        "actors": (
            Column("actor", "Actor", format=lambda row: row["actor"] or "(none)"),
            Column("first_side", "First side", "rows", format=",d"),
            Column("second_side", "Second side", "rows", format=",d"),
            Column("role", "Counts as"),
        ),
    }
    for name, title in names.items():
        if rows := getattr(found, name):
            note = f"The first {_SHOWN} of {len(rows)}; all in {name}.csv." if len(rows) > _SHOWN else ""
            yield Table(title, columns[name], rows[:_SHOWN], note)
    if dropping := [one for one in found.filters if one["rows_alone"] or one["rows_in_order"]]:
        alone = Column("rows_alone", "By itself", "rows", format=",d")
        order = Column("rows_in_order", "After those above", "rows", format=",d")
        yield Table("Dropped by each filter", (Column("reason", "Reason"), alone, order), dropping)
    if found.near is None:
        yield NO_RAPIDFUZZ.replace("[", r"\[")
    elif near:
        yield Table(
            "Dropped pairs of actors that nearly match",
            (
                Column("first_side", "First side"), Column("second_side", "Second side"),
                Column("rows", "Rows", format=",d"), Column("nearly", "May be"),
            ),
            near,
            "Another spelling belongs into filters.aliases; the filters below have it there. Look at each.",
        )  # fmt: skip


def use_lines(found: DataCheck, file: Path | None, config_dir: Path | None, configs: Path) -> Iterator[str]:
    """What the configuration to start from gives, and how to use it."""
    proposal, place = found.proposal, shown_path(configs)
    assert proposal is not None
    if proposal.counts is None:
        yield f"The configuration to start from finds no attack yet: {escape(proposal.problem)}"
        return
    counts = proposal.counts
    days = int(counts.ends[-1] - counts.ends[0])
    yield f"With the configuration to start from: {int(counts.total[-1]):,} attacks in {days:,} days."
    if config_dir is not None:
        yield escape(f"Copy what is in {place} into {config_dir}, where the other files of the case are, then:")
        place = str(config_dir)
    yield escape(f"  {shlex.join(['lull', 'forecast', str(file), '--config-dir', place, 'scenario=own'])}")


def files_of(proposal: Proposal, files: Mapping[str, str], file: Path) -> dict[str, str]:
    """The configuration to start from, by the names of its files in the folder; `files` are those of the case."""
    scenario: dict[str, Any] = {
        "defaults": [
            {"override /actors": files["actors"]},
            {"override /timeline": "calendar"},
            {"override /history": "free" if proposal.own_calendar else files["history"]},
            {"override /patterns": "none"},
            {"override /calibration": "none"},
            {"override /filters": "filters"},
        ],
        "scenario": {
            "title": f"Own events, {file.stem}"[:60],
            "question": "What follows from these events?",
            "departs": None,
        },
    }
    timeline = dict(proposal.timeline)
    if not proposal.own_calendar:
        timeline = {"defaults": [files["timeline"]], **timeline}
    calendar_words = (
        "A calendar that holds the dates of the file, which that of the case does not; the events are placeholders."
        if proposal.own_calendar
        else "The calendar of the case, longer where the file needs it."
    )
    return {
        FILTERS: _group("Which rows count as an attack, from `lull data`; docs/own_events.md explains each key.",
                        {"filters": proposal.filters}),
        CALENDAR: _group(calendar_words, {key: one for key, one in timeline.items() if one}),
        SCENARIO: _group("The case with these filters and this calendar.", scenario),
    }  # fmt: skip


def _group(words: str, tree: Mapping[str, Any]) -> str:
    """A file of a group of the configuration."""
    return f"# @package _global_\n# {words}\n{yaml_text(tree, 110)}"
