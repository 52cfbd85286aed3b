"""The files of a user's own case: a commented template to start from, and what a finished case still lacks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sim.analysis.forecast.case_settings import OBSERVATION_KEYS, PARTS, section_of
from sim.analysis.forecast.event_filters import filters_of
from sim.experiment.command import Request
from sim.experiment.options import OutputOptions
from sim.experiment.parameter_sets import free_declarations
from sim.experiment.result_dir import whole_folder
from sim.model.cast import UNSOURCED
from sim.model.hydra_config import GROUPS, compose_tree, config_folders, options
from sim.model.package_data import data_folder
from sim.model.parameters import Theatre, Wing, group_declarations, shared_declarations
from sim.model.scenario import Config, load
from sim.model.validation import UserError

OF_TEMPLATE: Final = "case"
"""Folder of the template among the data, one file for each group of the configuration."""
PLACEHOLDER: Final = "placeholder"
"""The source of all that the template says."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NO_NAMES: Final = {"null", "true", "false", "yes", "no", "on", "off"}
"""What YAML reads as something else than a name."""
FINDINGS: Final = ("missing", "assumed", "from the shipped case")
MISSING, ASSUMED, SHIPPED = FINDINGS
OF_A_CASE: Final = ("actors", "timeline", "history", "filters", "predictions")
"""Groups of files that a case has of its own."""


def asked_for(request: Request) -> tuple[str, Path]:
    """Name and folder of the new case that a command asks for."""
    output, rest = request.options(OutputOptions)
    name = next((one.removeprefix("scenario=") for one in rest.overrides if one.startswith("scenario=")), None)
    if name is None or len(rest.overrides) > 1 or rest.config_dir is not None:
        raise UserError("lull case new", " ".join(rest.overrides) or "(no name)", "NAME, and output.dir=FOLDER")
    folder = output.dir or Path(name)
    check_new(name, folder)
    return name, folder


def check_new(name: str, folder: Path) -> None:
    """Refuse the name of a shipped file or what is no identifier, and a folder in which something stands."""
    taken = {one for group in GROUPS for one in options(group, config_folders(None))} | _NO_NAMES
    if not _NAME.fullmatch(name) or name in taken:
        raise UserError("scenario", name, "a new name of at most 64 lower-case letters, digits and _")
    if folder.exists():
        raise UserError("output.dir", folder, "a folder that does not exist yet")


def write_template(name: str, folder: Path) -> list[str]:
    """Write the files of a new case, all or none, and return their paths within the folder.

    Raises:
        UserError: a shipped file has this name, it is no identifier, or something stands in the folder.
    """
    check_new(name, folder)
    made = []
    with whole_folder(folder) as aside:
        for path in sorted((data_folder("seeds") / OF_TEMPLATE).glob("*.yaml")):
            place = Path(path.stem, f"{name}.yaml")
            (aside / place.parent).mkdir()
            text = path.read_text(encoding="utf-8").replace("NAME", name)
            (aside / place).write_text(text, encoding="utf-8", newline="\n")
            made.append(place.as_posix())
    return made


@dataclass(frozen=True)
class CaseFinding:
    """Something that a reader of a case should know: missing, assumed, or taken over from the shipped case."""

    kind: str
    key: str
    text: str


def findings(config: Config, chosen: dict[str, str]) -> list[CaseFinding]:
    """What is missing in a case, what is assumed, and which of the shipped case's numbers are still in it.

    `chosen` is the file of each group.
    """
    return [*_missing(config), *_assumed(config), *_shipped(config, chosen)]


def chosen_files(request: Request) -> dict[str, str]:
    """The file that a configuration has in each group."""
    return compose_tree(request.overrides, request.config_dir)[1]


def _numbers(config: Config) -> Iterator[tuple[str, Any, str, float]]:
    """Full key, actor, name and value of every number of the theatres and wings."""
    cast = config.scenario.cast
    for kind, actors, group in (("theatre", cast.theatres, Theatre), ("militia", cast.wings, Wing)):
        for id, actor in actors.items():
            for name, _ in group_declarations(group):
                yield f"{kind}.{id}.{name}", actor, name, getattr(actor, name)


def _group(actor: Theatre | Wing, key: str) -> str:
    """The group of a wing: under another id, too, its numbers may be those of the shipped case."""
    return actor.group if isinstance(actor, Wing) else key


def _missing(config: Config) -> Iterator[CaseFinding]:
    scenario, section = config.scenario, section_of(config)
    for part in PARTS:
        if not section.has(part) or not section.raw(part, ""):
            yield CaseFinding(MISSING, section.full(part), "none, so `lull case predict` has nothing to go by")
    if not scenario.pins:
        yield CaseFinding(MISSING, "history.events", "none, so no documented event is pinned")
    try:
        filters_of(config.tree, scenario.cast)
    except UserError as mistake:
        yield CaseFinding(MISSING, mistake.key, f"{mistake.value}: allowed {mistake.allowed}")
    for key, _, _, value in _numbers(config):
        if (source := scenario.cast.source(key)) is UNSOURCED or source.text == PLACEHOLDER:
            yield CaseFinding(MISSING, key, f"{value:g} without a source")
    for key, text in _sources(config):
        if text in ("", PLACEHOLDER):
            yield CaseFinding(MISSING, key, "without a source")


def _sources(config: Config) -> Iterator[tuple[str, str]]:
    """Key and source of every event and observation; an empty source where there is none."""
    scenario, section = config.scenario, section_of(config)
    for group, events in (("history.events", scenario.pins), ("events", scenario.events)):
        yield from ((f"{group}.{one.id}", one.source) for one in events)
    observed = section.sections("observations", OBSERVATION_KEYS) if section.has("observations") else {}
    yield from ((one.full("source"), one.text("source") if one.has("source") else "") for one in observed.values())


def _assumed(config: Config) -> Iterator[CaseFinding]:
    scenario = config.scenario
    for key, _, _, value in _numbers(config):
        source = scenario.cast.source(key)
        if source.provenance == "assumed" and source is not UNSOURCED and source.text != PLACEHOLDER:
            yield CaseFinding(ASSUMED, key, f"{value:g}: {source.text}")
    for key, text in _sources(config):
        if "assumed" in text:
            yield CaseFinding(ASSUMED, key, text)


def _shipped(config: Config, chosen: dict[str, str]) -> Iterator[CaseFinding]:
    _, shipped_files = compose_tree(())
    for group in OF_A_CASE:
        if chosen[group] == shipped_files[group] != "none":
            yield CaseFinding(SHIPPED, group, f"the whole file {chosen[group]}")
    theirs: dict[tuple[str, str], float] = {}
    for key, actor, name, value in _numbers(load()):
        theirs[key, name] = theirs[_group(actor, key), name] = value
    for key, actor, name, value in _numbers(config):
        if value in (theirs.get((key, name)), theirs.get((_group(actor, key), name))):
            yield CaseFinding(SHIPPED, key, f"{value:g}, as there")
    declared = shared_declarations()
    same = [key for key, one in declared.items() if config.scenario.number(key) == one.default]
    drawn = sum(key in free_declarations() for key in same)
    yield CaseFinding(
        SHIPPED, "shared parameters",
        f"{len(same)} of {len(declared)} have the default of the shipped case; `lull case predict` draws {drawn} of"
        " them, all but the level, from its posterior",
    )  # fmt: skip
