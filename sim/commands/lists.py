"""Look-ups of what is declared, as tables and, with `output.dir=`, as CSV.

`lull facts`: the facts of the source, what in the model stands for each, and how well they are covered.

`lull parameters`: every declared number of a scenario, with value, range, prior and source.

`lull events`: the kinds of events, each with an example in words, and the events of a scenario.

`lull scenarios`: the scenarios and the question that each answers.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from rich.console import RenderableType

from sim.experiment.command import Request
from sim.experiment.options import LookupOptions
from sim.experiment.result_dir import result_folder
from sim.model.facts import coverage, load_facts
from sim.model.interventions import kind_rows
from sim.model.scenario import event_rows, parameter_rows, scenario_names
from sim.model.validation import UserError, one_of
from sim.reporting.tables import event_kind_table, event_table, fact_rows, fact_table, parameter_table, scenario_table
from sim.reporting.terminal import show, show_json

Entry = TypeVar("Entry")
Listed = tuple[Sequence[Mapping[str, Any]], list[RenderableType]]


def main(request: Request) -> None:
    """Carry out one of the verbs."""
    options, rest = request.options(LookupOptions)
    verbs = {"facts": facts, "parameters": parameters, "scenarios": scenarios, "events": events}
    rows, parts = verbs[request.verb](rest, options.find)
    config = rest.config()
    if config.output_dir is not None or request.home is not None:
        with result_folder(request, config) as folder:
            folder.csv(f"{request.verb}.csv", rows)
    show_json(rows)
    show(*parts)


def facts(request: Request, words: Sequence[str] | None) -> Listed:
    """The facts that are asked for, and how well all of them are covered."""
    every = load_facts()
    found = matching(every, words, lambda one: one.id, request.verb)
    covered = coverage(every)
    line = (
        f"{covered.facts} facts: {covered.parameter} with a parameter, {covered.rule} with a rule,"
        f" {covered.scenario} with a scenario, {covered.output} with an output, {covered.tests} with a test."
    )
    return fact_rows(found), [fact_table(found), line]


def parameters(request: Request, words: Sequence[str] | None) -> Listed:
    """The parameters of a scenario that are asked for."""
    found = matching(parameter_rows(request.config().scenario), words, lambda one: one.key, request.verb)
    return [asdict(one) for one in found], [parameter_table(found)]


def scenarios(request: Request, words: Sequence[str] | None) -> Listed:
    """The scenarios that are asked for."""
    found = matching(scenario_names(request.config_dir), words, lambda one: one.name, request.verb)
    return [asdict(one) for one in found], [scenario_table(found)]


def events(request: Request, words: Sequence[str] | None) -> Listed:
    """The kinds of events that are asked for, and where no words are given the events of the scenario."""
    found = matching(kind_rows(), words, lambda one: one["kind"], request.verb)
    return found, [event_kind_table(found), *([event_table(event_rows(request.config()))] if words is None else [])]


def matching(
    entries: Collection[Entry], words: Sequence[str] | None, name: Callable[[Entry], str], verb: str
) -> list[Entry]:
    """The entries that any of the words names or, where it names none, that contain it."""
    if words is None:
        return list(entries)
    found: list[Entry] = []
    for word in words:
        low = word.lower()
        named = [one for one in entries if name(one).lower() == low]
        hits = named or [one for one in entries if low in str(one).lower()]
        if not hits:
            raise UserError(verb, word, one_of([name(one) for one in entries], word))
        found += [one for one in hits if one not in found]
    return [one for one in entries if one in found]
