"""One history lived again by the reference model and told in sentences."""

from sim.engine.reference import ReferenceModel
from sim.engine.trace import Decision
from sim.study.chronicle import Chronicle, Sentence
from sim.study.drawn import drawn_of
from sim.study.narration import Narrator, Scene
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
    today: list[Decision] = []
    model = ReferenceModel(scenario, study_seed, run, trace=today.append)
    scene = Scene(scenario, tuple(wing.name for wing in model.wings if wing.strikable))
    narrator, sentences = Narrator(scene), list[Sentence]()
    while model.running:
        today.clear()
        model.step()
        sentences.extend(narrator.tell(today))
    return Chronicle(
        title=f"{scenario.name}: run {run} of seed {study_seed}",
        start=scenario.calendar.start,
        days=model.day + 1,
        sentences=tuple(sentences),
        states=model.state_table(),
        names=scene.wings,
    )


def lived_in(config: Config, run: int) -> Scenario:
    """The scenario with the numbers that one history of a configuration has."""
    return drawn_of(config).scenario(config.scenario, run)
