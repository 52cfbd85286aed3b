"""`lull facts`: the facts of the source, what in the model stands for each, and how well they are covered."""

from sim.study.request import Request
from sim.view.tables import fact_rows, fact_table
from sim.view.verbs.listing import listing
from sim.world.facts import coverage, load_facts


def main(request: Request) -> None:
    """Carry out the verb."""
    facts = load_facts()
    covered = coverage(facts)
    line = (
        f"{covered.facts} facts: {covered.parameter} with a parameter, {covered.rule} with a rule,"
        f" {covered.scenario} with a scenario, {covered.output} with an output, {covered.tests} with a test."
    )
    listing(request, request.config(), fact_rows(facts), fact_table(facts), line)
