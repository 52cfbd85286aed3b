"""`lull parameters`: every declared number of a scenario, with value, range, prior and source."""

from dataclasses import asdict

from sim.study.declared import parameter_rows
from sim.study.request import Request
from sim.view.tables import parameter_table
from sim.view.verbs.listing import listing


def main(request: Request) -> None:
    """Carry out the verb."""
    config = request.config()
    rows = parameter_rows(config.scenario)
    listing(request, config, [asdict(one) for one in rows], parameter_table(rows))
