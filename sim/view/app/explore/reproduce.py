"""How what is shown is made again without the page, and the files that may be taken away."""

from html import escape
from typing import Final

from sim.study.live.link import Asked
from sim.study.live.settings import FREE, HISTORY, Ground, Settings, Value
from sim.study.request import Request

FILES: Final = {
    "scenario.yaml": "scenario, for lull run",
    "config.yaml": "whole configuration",
    "outcomes.csv": "outcomes",
    "weekly.csv": "attacks a week",
    "patterns.csv": "patterns",
    "histories.nc": "every history (netCDF)",
    "figure.svg": "figure (SVG)",
    "figure.png": "figure (PNG)",
}
PAIR_FILES: Final = {"scenario_b.yaml": "scenario B", "differences.csv": "differences of B to A"}


def commands(ground: Ground, asked: Asked) -> tuple[str, ...]:
    """The command lines that make the same numbers."""
    seed = () if asked.seed == 1 else (f"seed={asked.seed}",)
    common = (*ground.overrides, f"study.runs={ground.runs}", *seed)
    run = Request("run", (*asked.a.overrides(), *common), ground.config_dir).command
    if asked.b is None:
        return (run,)
    entries = ",".join(_entry(one) for one in (asked.a, asked.b))
    told = (f"scenarios=[{entries}]", "parameters=defaults", *common)
    return (run, Request("compare", told, ground.config_dir).command)


def python(ground: Ground, asked: Asked) -> str:
    """The lines of Python that make the same numbers of A."""
    values: dict[str, Value] = {}
    for one in ground.overrides:
        key, _, values[key] = one.partition("=")
    values |= ({HISTORY: FREE} if asked.a.free else {}) | dict(asked.a.values)
    given = [repr(asked.a.scenario), f"runs={ground.runs}", *([] if asked.seed == 1 else [f"seed={asked.seed}"])]
    given += [f"overrides={values!r}"] if values else []
    given += [] if ground.config_dir is None else [f"config_dir={str(ground.config_dir)!r}"]
    return f"from sim import simulate\n\ndata = simulate({', '.join(given)})"


def _entry(settings: Settings) -> str:
    scenario, *changes = settings.overrides()
    return ";".join((scenario.partition("=")[2], *changes))


def take_away(ground: Ground, asked: Asked) -> str:
    """The link, the commands and the files of what is shown, as HTML."""
    query = asked.query(ground)
    address = f"explore?{query}" if query else "explore"
    files = FILES | (PAIR_FILES if asked.b is not None else {})
    settings = escape(f"?{query}" if query else "")
    links = "".join(
        f"<li><a href='files/{name}{settings}' download='lull-{name}'>{escape(text)}</a></li>"
        for name, text in files.items()
    )
    lines = escape("\n".join(commands(ground, asked)))
    return (
        "<h2>Take it away</h2><p>The address of this page holds the settings: "
        f"<a id='permalink' href='{escape(address)}'>link to what is shown</a>.</p><ul class='files'>{links}</ul>"
        f"<h3>The same from the command line</h3><pre id='command'>{lines}</pre>"
        f"<h3>The same from Python</h3><pre id='python'>{escape(python(ground, asked))}</pre>"
    )
