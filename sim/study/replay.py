"""One history lived again by the reference model and told in sentences."""

from sim.study.chronicle import Chronicle
from sim.study.drawn import drawn_of
from sim.study.life import lived
from sim.world.scenario import Config, Scenario


def replay(world: Config | Scenario, run: int, seed: int | None = None) -> Chronicle:
    """Tell one history, which is the compiled engine's run of that number, state for state.

    Args:
        world: a configuration or a scenario.
        run: number of the history, 0 to 2**48 - 1.
        seed: study seed; None takes the configuration's, or 1 for a bare scenario.

    Raises:
        ValueError: the seed or the run has no address.
    """
    scenario, study_seed = (lived_in(world, run), world.seed) if isinstance(world, Config) else (world, 1)
    study_seed = study_seed if seed is None else seed
    life = lived(scenario.name, scenario, study_seed, run)
    return Chronicle(
        title=f"{scenario.name}: run {run} of seed {study_seed}",
        start=scenario.calendar.start,
        days=life.days,
        sentences=tuple(sentence for day in life.sentences for sentence in day),
        states=life.states,
        names={key: wing.name for key, wing in scenario.cast.wings.items()},
    )


def lived_in(config: Config, run: int) -> Scenario:
    """The scenario with the numbers that one history of a configuration has."""
    return drawn_of(config).scenario(config.scenario, run)
