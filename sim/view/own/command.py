"""`lull calibrate data=FILE`: fit to a user's own counts and forecast; with `score=true` forecast the past again."""

from datetime import date
from pathlib import Path
from typing import Final

from rich.console import RenderableType

from sim.study.events.counts import Counts
from sim.study.folder import Folder, result_folder
from sim.study.request import Request, whole
from sim.study.scores.forecasting import HISTORIES
from sim.study.scores.own import Prediction, cut_count, evaluate, own_counts, predict
from sim.study.scores.skill import FEWEST_UNITS, Skill, Summary, Trial, skills, summaries
from sim.study.scores.told import (
    count_rows,
    effect_rows,
    forecast_rows,
    match_told,
    reading_told,
    skill_rows,
    summary_rows,
    trial_rows,
)
from sim.view.own.tables import (
    effect_table,
    forecast_table,
    match_lines,
    reading_lines,
    score_table,
    skill_table,
    verdict_lines,
)
from sim.view.terminal import progress, show, shown_path
from sim.world.errors import UserError
from sim.world.scenario import DEFAULTS, Config

OWN_KEYS: Final = ("score", "until", "weeks", "histories")
"""Keys that go with `data` and mean nothing without it."""
FEWEST: Final = 1000
MOST: Final = 10_000_000
MOST_WEEKS: Final = 520
WEEKS: Final = 4
CANNOT_TELL: Final = (
    "What this cannot tell: whether the model's mechanisms are at work behind these counts. A forecast is worth what"
    " its score on the past is worth: score=true."
)


def main(request: Request, file: str) -> None:
    """Answer a request; `data`, whose value is `file`, is taken out of it here.

    Raises:
        UserError: a key, the file or the configuration cannot be used, or the folder cannot be written.
    """
    _, rest = request.taking("data")
    scoring, rest = rest.taking("score")
    until, rest = rest.taking("until")
    weeks, rest = rest.taking("weeks")
    histories, rest = rest.taking("histories")
    if scoring not in (None, "true", "false"):
        raise UserError("score", scoring, "true or false")
    if scoring == "true" and (until or weeks):
        raise UserError("until" if until else "weeks", until or weeks, "nothing with score=true: it cuts by itself")
    if not file.strip("'\""):
        raise UserError("data", "(missing)", "a file of events or of cumulative counts")
    config = rest.config()
    if config.parameters_from != DEFAULTS:
        raise UserError(
            "parameters", config.parameters_from,
            f"{DEFAULTS} with data=FILE: the shipped posterior knows the article, not these counts",
        )  # fmt: skip
    counts = own_counts(config, file.strip("'\""))
    many = HISTORIES if histories is None else whole("histories", histories, FEWEST, MOST)
    if scoring == "true":
        show_skill(request, config, counts, many, Path(file).name)
    else:
        ahead = WEEKS if weeks is None else whole("weeks", weeks, 1, MOST_WEEKS)
        show_forecast(request, config, counts, _day(until), ahead, many, Path(file).name)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError("until", text, "a date such as 2024-02-02") from None


def show_forecast(
    request: Request, config: Config, counts: Counts, until: date | None, weeks: int, histories: int, file: str
) -> None:
    """Fit, forecast, print and write."""
    calendar = config.scenario.calendar
    with result_folder(request, config, label="own-events") as folder:
        with progress(histories, "histories") as advance:
            found = predict(config, counts, until, weeks, histories, advance)
        rows, effects = forecast_rows(found, calendar), effect_rows(found, calendar)
        parts: list[RenderableType] = [*reading_lines(counts), "", forecast_table(rows), *match_lines(found)]
        if effects:
            parts += ["", effect_table(effects)]
        show(*parts, "", CANNOT_TELL)
        folder.csv("forecast.csv", rows)
        folder.csv("counts.csv", count_rows(counts, calendar))
        if effects:
            folder.csv("effects.csv", effects)
        told = {"reading": reading_told(counts), "match": match_told(found), "forecast": rows, "effects": effects}
        folder.json("summary.json", {"scenario": config.scenario.name, "seed": config.seed, "file": file, **told})
        draw_forecast(folder, found, config, file)
    show(f"\nFiles in {shown_path(folder.final)}: summary.json, forecast.png, and the tables behind them.")


def draw_forecast(folder: Folder, found: Prediction, config: Config, file: str) -> None:
    """Draw the fan."""
    from sim.view.own.figures import forecast_figure
    from sim.view.style import save

    figure = forecast_figure(found, config, file)
    for ending in ("png", "svg"):
        save(figure, folder.path(f"forecast.{ending}"))


def show_skill(request: Request, config: Config, counts: Counts, histories: int, file: str) -> None:
    """Forecast the past again from several days on, score, print and write."""
    cuts = cut_count(counts)
    with result_folder(request, config, label="own-skill") as folder:
        with progress(histories * cuts, "histories") as advance:
            found = evaluate(config, counts, histories, advance)
        means, gains = summaries(found), skills(found, lambda one: one.cut, config.seed)
        show(
            *reading_lines(counts),
            "",
            f"{cuts} forecasts of up to three weeks, {means[0].periods} periods; each knew the counts, the documented"
            f" history and the events up to its day.",
            "",
            score_table(means),
            skill_table(gains),
            *verdict_lines(gains),
            *([f"Intervals come from drawing the {cuts} forecasts again."] if cuts >= FEWEST_UNITS else []),
        )
        write_skill(folder, config, counts, found, means, gains, file)
    show(f"\nFiles in {shown_path(folder.final)}: summary.json, skill.png, and the tables behind them.")


def write_skill(
    folder: Folder,
    config: Config,
    counts: Counts,
    found: list[Trial],
    means: tuple[Summary, ...],
    gains: tuple[Skill, ...],
    file: str,
) -> None:
    """Write everything that the folder holds."""
    from sim.view.own.figures import skill_figure
    from sim.view.style import save

    told = {"reading": reading_told(counts), "scores": summary_rows(means), "skill": skill_rows(gains)}
    folder.json("summary.json", {"scenario": config.scenario.name, "seed": config.seed, "file": file, **told})
    folder.csv("skill.csv", skill_rows(gains))
    folder.csv("scores.csv", summary_rows(means))
    folder.csv("trials.csv", trial_rows(found, config.scenario.calendar))
    folder.csv("counts.csv", count_rows(counts, config.scenario.calendar))
    cuts = len({one.cut for one in found})
    words = f"Source: {file} ({counts.report.format}); Lull, scenario {config.scenario.name}, seed {config.seed};"
    figure = skill_figure(gains, means, f"{words} {cuts} forecasts of up to three weeks, {means[0].periods} periods.")
    for ending in ("png", "svg"):
        save(figure, folder.path(f"skill.{ending}"))
