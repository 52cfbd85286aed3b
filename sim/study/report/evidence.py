"""What the figures say: of single parameters, from the posterior that comes with the package; of rival readings.

The draws of the posterior tell which parameters the figures moved at all. Which of those are identified outright takes
planted truths, and so `lull calibrate`; here none is called so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.study.balance import Balance, prior_balance
from sim.study.calibration.bank import Bank, Prior
from sim.study.calibration.freshness import stale
from sim.study.calibration.posterior import Posterior
from sim.study.calibration.rival import Reading, readings_of, weigh
from sim.study.calibration.settings import Settings as Calibrated
from sim.study.calibration.settings import settings_of
from sim.study.calibration.shipped import Shipped, shipped_posterior
from sim.study.calibration.verdicts import Quantity, quantities_of
from sim.study.patterns import described
from sim.study.report.settings import Settings
from sim.world.errors import UserError
from sim.world.scenario import Config, load

BALANCE_DRAWS = 4000


@dataclass(frozen=True)
class Evidence:
    """What is there to be asked: a posterior and rival readings, or why there is none."""

    config: Config
    shipped: Shipped | None
    no_posterior: str
    calibrated: Calibrated | None
    no_readings: str
    rival_draws: int

    @property
    def histories(self) -> int:
        """Histories that weigh the rival readings."""
        return 0 if self.calibrated is None else 2 ** len(self.calibrated.channels) * self.rival_draws

    def quantities(self) -> tuple[Quantity, ...]:
        """Every fitted parameter before and after; none where there is no posterior."""
        return () if self.shipped is None else quantities_of(posterior_of_draws(self.shipped), {})

    def readings(self, progress: Callable[[int], None] | None = None) -> tuple[Reading, ...]:
        """Rival readings weighed; none where they cannot be."""
        if self.calibrated is None:
            return ()
        figures, keys = self.calibrated.figures, self.calibrated.keys
        bank = Bank(Prior(self.config.scenario, keys, self.config.seed), figures, {}, np.zeros(0))
        return readings_of(weigh(bank, self.calibrated.channels, self.rival_draws, self.config.threads, progress))

    def balance(self) -> tuple[Balance, ...]:
        """How likely the calm is under each reading before any data; nothing where it is not told of this scenario."""
        return prior_balance(self.config, BALANCE_DRAWS) if described(self.config) and self.rival_draws else ()


def evidence_of(config: Config, overrides: Sequence[str], settings: Settings) -> Evidence:
    """What can be asked in a configuration."""
    shipped, no_posterior = _posterior(config)
    calibrated, no_readings = _readings(config, overrides, settings)
    return Evidence(config, shipped, no_posterior, calibrated, no_readings, settings.rival_draws)


def _posterior(config: Config) -> tuple[Shipped | None, str]:
    try:
        shipped = shipped_posterior(config.scenario.cast)
    except UserError:
        return None, "no posterior of this case comes with this installation"
    why = stale(shipped)
    return (None, f"the posterior that comes with this installation is stale ({why})") if why else (shipped, "")


def _readings(config: Config, overrides: Sequence[str], settings: Settings) -> tuple[Calibrated | None, str]:
    if not settings.rival_draws:
        return None, "report.rival_draws=0 leaves them out"
    try:
        calibrated = settings_of(config, overrides)
    except UserError as mistake:
        return None, f"the baseline cannot be set against the figures ({mistake})"
    if not calibrated.channels:
        return None, "the configuration names no rival causes"
    return calibrated, ""


def posterior_of_draws(shipped: Shipped) -> Posterior:
    """The draws of a stored posterior, each of the same weight, as the calibration that made them would have them."""
    config = load(shipped.about["overrides"])
    prior = Prior(config.scenario, tuple(shipped.columns), int(shipped.about["seed"]))
    weights = np.full(shipped.draws, 1.0 / shipped.draws)
    bank = Bank(prior, (), {}, np.zeros(0))
    return Posterior(bank, shipped.rows, weights, prior.levels(shipped.rows), float("nan"), float("nan"))
