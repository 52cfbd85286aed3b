"""A line on the posterior that histories are drawn from: where it comes from, and whether it still holds."""

from sim.study.calibration.freshness import stale
from sim.study.calibration.shipped import shipped_posterior
from sim.world.scenario import POSTERIOR, Config


def posterior_lines(config: Config) -> list[str]:
    """What to say of the parameters; nothing where they are the declared defaults."""
    if config.parameters_from != POSTERIOR:
        return []
    posterior = shipped_posterior(config.scenario.cast)
    figures = len(posterior.about["figures"])
    lines = [
        f"Parameters: each history has one of {posterior.draws:,} draws of the posterior that {figures} figures leave;"
        " what the scenario or the command line sets stays set. docs/calibration.md tells how little that is."
    ]
    if why := stale(posterior):
        lines.append(f"[bold red]The posterior is stale[/]: {why}. `lull calibrate` makes it anew.")
    return [*lines, ""]
