"""`lull calibrate`: what the figures say about the parameters and what they do not; `check=true` tests the method.

With `data=FILE` it fits to a user's own counts instead, and forecasts.
"""

from typing import Final

from rich.console import RenderableType

from sim.study.calibration.again import Agreement
from sim.study.calibration.bank import fill
from sim.study.calibration.calibrating import (
    Calibration,
    Conscience,
    calibrated,
    examined,
    histories,
    plants_of,
    prior_of,
)
from sim.study.calibration.planted import narrowed
from sim.study.calibration.settings import Settings, settings_of
from sim.study.calibration.shipped import NAME, write_posterior
from sim.study.calibration.stored import store
from sim.study.calibration.told import check_rows, conscience_told, sound, summary, tables, with_results
from sim.study.calibration.verdicts import pairs
from sim.study.folder import Folder, result_folder
from sim.study.request import Request
from sim.view.calibration.tables import (
    agreement_table,
    ahead_table,
    conscience_lines,
    figure_table,
    leaning_table,
    method_line,
    not_identified,
    observation_table,
    pairs_line,
    predicted_table,
    quantity_table,
    reading_table,
    story_table,
    varied_table,
)
from sim.view.own.command import OWN_KEYS
from sim.view.own.command import main as own_events
from sim.view.tables import balance_table
from sim.view.terminal import progress, show, shown_path
from sim.world.errors import UserError
from sim.world.scenario import DEFAULTS, Config

CANNOT_TELL: Final = (
    "What this cannot tell: the figures are a handful and the parameters many. Most keep their priors, and every"
    " conclusion that hangs on those does too. This is a model to think with, not a forecast."
)


def main(request: Request) -> None:
    """Carry out the verb.

    Raises:
        UserError: the configuration cannot be used, the figures leave too few draws, or the folder cannot be written.
    """
    text, rest = request.taking("check")
    if text not in (None, "true", "false"):
        raise UserError("check", text, "true or false")
    file, _ = rest.taking("data")
    if file is not None:
        if text == "true":
            raise UserError("check", text, "nothing with data=FILE; score=true says how good its forecasts are")
        own_events(request, file)
        return
    refuse_own(rest)
    config = rest.config()
    if config.parameters_from != DEFAULTS:
        raise UserError("parameters", config.parameters_from, f"{DEFAULTS}: a calibration starts from the priors")
    settings = settings_of(config, rest.overrides)
    if text == "true":
        check(request, config, settings)
    else:
        fit(request, config, settings, rest.overrides)


def refuse_own(request: Request) -> None:
    """Refuse what only a fit to a user's own counts asks for.

    Raises:
        UserError: there is some of it.
    """
    for key in OWN_KEYS:
        value, _ = request.taking(key)
        if value is not None:
            raise UserError(key, value, "nothing without data=FILE")


def fit(request: Request, config: Config, settings: Settings, overrides: tuple[str, ...]) -> None:
    """Calibrate, print and write."""
    with result_folder(request, config) as folder:
        with progress(histories(settings), "histories") as advance:
            done = calibrated(config, settings, overrides, advance)
        report(done)
        write(folder, done)
    place = shown_path(folder.final)
    show(f"\nFiles in {place}: summary.json, {NAME}, calibration.nc for ArviZ, figures, and the tables behind them.")


def report(done: Calibration) -> None:
    """Print the result."""
    parts: list[RenderableType] = [
        figure_table(done.settings.figures),
        method_line(done),
        "",
        quantity_table(done.quantities),
        not_identified(done.quantities),
        pairs_line(pairs(done.posterior)),
        "",
        varied_table(done.varied, done.quantities),
        *conscience_lines(done.conscience),
        "",
        *second_method(done.agreements, done.again),
        "",
        predicted_table(done.predicted),
        ahead_table(done.ahead, done.config.scenario.calendar),
    ]
    if done.rivals.readings:
        parts += ["", reading_table(done.rivals.readings, done.rivals.widened)]
        parts += [observation_table(done.rivals.readings)]
        parts += [leaning_table(done.rivals.leanings, done.rivals.readings)]
        parts += [story_table(done.rivals.stories, done.rivals.needed)]
    elif done.settings.rival_draws:
        parts += ["", "Rival readings: calibration.rival_draws is too small for any history to agree with the figures."]
    if done.rivals.balance:
        parts += [balance_table(done.rivals.balance)]
    show(*parts, "", CANNOT_TELL)


def second_method(found: tuple[Agreement, ...], draws: int) -> list[RenderableType]:
    """The second method beside the first, or why it is not."""
    if found:
        return [agreement_table(found, draws)]
    return [f"Plain rejection left {draws} draws, too few to compare; calibration.again_draws makes more."]


def write(folder: Folder, done: Calibration) -> None:
    """Write everything that the folder holds."""
    from sim.view.calibration.figures import (
        check_figure,
        forest_figure,
        pattern_figure,
        posterior_figure,
        reading_figure,
        source,
    )
    from sim.view.style import save

    folder.json("summary.json", summary(done))
    for name, rows in tables(done).items():
        if rows:
            folder.csv(f"{name}.csv", rows)
    write_posterior(folder.path(NAME), with_results(done))
    store(done, folder.path("calibration.nc"))
    figures = {
        "posterior": posterior_figure(done),
        "forest": forest_figure(done),
        "check": check_figure(done.conscience, None, source(done)),
        "patterns": pattern_figure(done.predicted, source(done)),
    }
    if done.rivals.readings:
        figures["readings"] = reading_figure(done.rivals, source(done))
    for name, figure in figures.items():
        for ending in ("png", "svg"):
            save(figure, folder.path(f"{name}.{ending}"))


def check(request: Request, config: Config, settings: Settings) -> None:
    """Put the method to the test with truths that are known, and with posteriors that must fail."""
    from sim.view.calibration.figures import check_figure
    from sim.view.style import save

    with result_folder(request, config, label="check") as folder:
        with progress(settings.draws + 2 * plants_of(settings), "histories") as advance:
            bank = fill(prior_of(config, settings, "check"), settings.figures, settings.draws, config.threads, advance)
            conscience = examined(config, settings, bank, progress=advance, purpose="checked truths")
            control = examined(config, settings, bank, narrowed, advance, purpose="checked truths")
        words = f"Source: Lull, scenario {config.scenario.name}, {bank.size:,} histories, seed {config.seed}."
        folder.csv("check.csv", check_rows(conscience))
        folder.csv("control.csv", check_rows(control))
        told = {"sound": sound(conscience), "check": conscience_told(conscience), "control": conscience_told(control)}
        folder.json("summary.json", {"scenario": config.scenario.name, "seed": config.seed, "bank": bank.size, **told})
        figure = check_figure(conscience, control, words)
        for ending in ("png", "svg"):
            save(figure, folder.path(f"check.{ending}"))
    show(*conscience_lines(conscience), "", control_line(control), verdict_line(conscience, control))
    show(f"\nFiles in {shown_path(folder.final)}: summary.json, check.csv, control.csv, check.png.")


def control_line(control: Conscience) -> str:
    """How posteriors that were made overconfident fare."""
    all_checked = [one for checked in control.checked.values() for one in checked]
    outside, off = sum(not one.uniform for one in all_checked), sum(not one.covered for one in all_checked)
    return (
        f"Control, the same posteriors narrowed by half: ranks of {outside} and coverage of {off}"
        f" of {len(all_checked)} fail, as they must."
    )


def verdict_line(conscience: Conscience, control: Conscience) -> str:
    """What follows."""
    if not sound(conscience):
        return "[bold red]The posteriors are NOT calibrated: see check.csv.[/]"
    if sound(control):
        return "[bold red]The check is too weak: it passes posteriors that are wrong. Ask for more truths.[/]"
    return "[green]The posteriors are calibrated, and the check notices posteriors that are not.[/]"
