"""`lull scenarios`: the scenarios and the question that each answers."""

from dataclasses import asdict

from sim.study.request import Request
from sim.view.tables import scenario_table
from sim.view.verbs.listing import listing
from sim.world.scenario import scenario_names


def main(request: Request) -> None:
    """Carry out the verb."""
    cards = scenario_names(request.config_dir)
    listing(request, request.config(), [asdict(one) for one in cards], scenario_table(cards))
