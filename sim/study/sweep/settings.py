"""The keys of a sweep, `study.*`, taken from a composed configuration and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sim.rules.outcomes import Outcome
from sim.study.outcomes import outcomes_of
from sim.study.sweep.axes import NOT_SWEPT
from sim.world.checks import Section, mapping
from sim.world.compose import read_yaml
from sim.world.errors import UserError, one_of
from sim.world.scenario import MOST_RUNS, POSTERIOR, Config
from sim.world.schema import STUDY_KEYS

MOST_POINTS: Final = 10**8
DESIGNS: Final = ("factorial", "sobol", "lhs", "random")
DRAWS: Final = ("prior", POSTERIOR)

Policies = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """How a sweep is to be made; None and empty mappings: nothing was said.

    `policies` maps names to overrides; `precision` maps outcomes to the Monte Carlo error that they may have.
    """

    points: int | None
    design: str | None
    table: Path | None
    ignore: tuple[str, ...]
    draws: str | None
    policies: Policies
    precision: dict[str, float]
    most_runs: int
    accept_versions: bool


def settings_of(config: Config) -> Settings:
    """The settings of a sweep in a configuration.

    Raises:
        UserError: a value is not allowed, or a file cannot be read.
    """
    section = Section("study", config.tree["study"], STUDY_KEYS)
    known = outcomes_of(config.scenario.extended)

    def given(name: str) -> bool:
        return section.has(name) and section.raw(name, "") is not None

    return Settings(
        points=section.whole("points", 1, MOST_POINTS) if given("points") else None,
        design=section.choice("design", DESIGNS) if given("design") else None,
        table=Path(section.text("table")) if given("table") else None,
        ignore=section.texts("ignore") if given("ignore") else (),
        draws=section.choice("draws", DRAWS) if given("draws") else None,
        policies=_policies(section.raw("policies", "")) if given("policies") else {},
        precision=_precision(section.raw("precision", ""), known) if given("precision") else {},
        most_runs=section.whole("most_runs", 1, MOST_RUNS),
        accept_versions=section.flag("accept_versions") if given("accept_versions") else False,
    )


def _policies(given: object) -> Policies:
    """Policies as a mapping, or read from the YAML file that is named."""
    if isinstance(given, str):
        path = Path(given)
        if not path.is_file():
            raise UserError("study.policies", given, "a YAML file, or a mapping of names to overrides")
        given = read_yaml(path)
    policies = {str(name): mapping(f"study.policies.{name}", one) for name, one in _named(given).items()}
    for name, one in policies.items():
        for key, value in one.items():
            top = str(key).partition(".")[0].partition("/")[0]
            if top in NOT_SWEPT:
                raise UserError(f"study.policies.{name}.{key}", value, f"keys of the world ({NOT_SWEPT[top]})")
    return policies


def _named(given: object) -> Mapping[str, Any]:
    named = mapping("study.policies", given)
    if not named:
        raise UserError("study.policies", "{}", "one policy or more")
    return named


def _precision(given: object, known: Mapping[str, Outcome]) -> dict[str, float]:
    named = mapping("study.precision", given)
    for name in named:
        if name not in known:
            raise UserError(f"study.precision.{name}", named[name], f"outcomes: {one_of(tuple(known), name)}")
    section = Section("study.precision", named, tuple(known))
    return {name: section.number(name, 1e-9, 1e9) for name in named}
