"""Write the figures of build/bench.json and nanoseconds.json into README.md, and draw growth.png.

.venv/bin/python experiments/speed/tell.py
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.commands.checks import FIGURES
from sim.reporting.style import BLUE, GREY, new_figure, save, style

HERE = Path(__file__).parent
BEGIN, END = "<!-- figures: written by tell.py -->\n", "<!-- end of figures -->\n"
FLAT = 0.25
PARTS = {
    "wings": "the wings' day: draws, compliance, fear, grievance, capacity, numbers of attacks, fates",
    "states": "patron, mediators, target and ladder",
    "strikes": "choosing whom to strike, and strikes on wings",
    "casualties": "attacks that got through",
    "record": "counts, weeks, first days",
    "all else": "opening blocks, writing results, the loop over the days",
}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *rows)) + "\n"


def figures(bench: Mapping[str, Any]) -> str:
    """The figures of `lull bench`."""
    rows = []
    for name, figure in FIGURES.items():
        around = bench["quartiles"].get(name)
        value = bench[name] if name in bench else around[1]
        spread = "" if around is None else f"{around[0]:.3g} to {around[2]:.3g}"
        rows.append((figure.text, f"{value:.3g} {figure.unit}", spread, figure.asked))
    machine = bench["machine"]
    return (
        f"{machine['processor']} ({machine['target']}, {machine['vectors']}), {machine['cores']} cores,"
        f" {bench['rounds']} rounds by turns, load {machine['load_before']} before; Python"
        f" {bench['versions']['python']}, numba {bench['versions']['numba']}.\n\n"
        + table(("Figure", "Median", "Quartiles", "Asked"), rows)
    )


def nanoseconds(found: Mapping[str, Any]) -> str:
    """Where they go."""
    total = found["agent_day_ns"]
    parts = [(PARTS[name], f"{spent:.2f}", f"{spent / total:.0%}") for name, spent in found["parts"].items()]
    rest = total - found["draws_ns"] - found["exps_ns"]
    kinds = [
        ("draws (Philox, four words a block)", f"{found['draws_ns']:.2f}", f"{found['draws_ns'] / total:.0%}"),
        ("exp", f"{found['exps_ns']:.2f}", f"{found['exps_ns'] / total:.0%}"),
        ("the rest", f"{rest:.2f}", f"{rest / total:.0%}"),
    ]
    alone = ", ".join(f"{name} {spent:.2f} ns" for name, spent in found["in_one_lane_ns"].items())
    return (
        table(("Part of the day", "ns of an agent-day", "Share"), parts)
        + table(("Kind of work", "ns of an agent-day", "Share"), kinds)
        + f"Measured in one lane by itself: {alone}. The kinds are these times how often a wing-day needs them.\n\n"
    )


def growth(grown: Mapping[str, Any]) -> str:
    """The three tables of growth."""
    runs = [
        (
            f"{row['runs']:,}",
            f"{row['seconds']:.2f}",
            f"{row['agent_day_ns']:.2f}",
            f"{row['agent_day_ns_core']:.2f}",
            f"{row['peak_mib']:.0f}",
        )
        for row in grown["runs"]
    ]
    text = "With runs, on all cores:\n\n" + table(("Runs", "Seconds", "ns an agent-day", "and core", "Peak MiB"), runs)
    for key, note in (("days", grown["notes"]["days"]), ("wings", grown["notes"]["wings"])):
        rows = [(f"{row[key]:,}", f"{row['runs']:,}", f"{row['agent_day_ns_core']:.2f}") for row in grown[key]]
        text += f"With {key}, on one core. {note}\n\n" + table((key.capitalize(), "Runs", "ns an agent-day"), rows)
    return text


def draw(grown: Mapping[str, Any]) -> None:
    """The three tables as one figure."""
    with style():
        figure = new_figure(9.0, 2.8)
        for place, key in enumerate(("runs", "days", "wings")):
            axes = figure.add_subplot(1, 3, place + 1)
            sizes, costs = [row[key] for row in grown[key]], [row["agent_day_ns_core"] for row in grown[key]]
            axes.semilogx(sizes, costs, "o-", color=BLUE, markersize=4)
            axes.axhspan(costs[1] * (1 - FLAT), costs[1] * (1 + FLAT), color=GREY, alpha=0.15, linewidth=0)
            cores = "all cores" if key == "runs" else "one core"
            axes.set(xlabel=f"number of {key}", ylim=(0, 2 * max(costs)), title=f"Growth with {key}, {cores}")
            if place == 0:
                axes.set_ylabel("ns an agent-day and core")
        figure.tight_layout()
        save(figure, HERE / "growth.png")


def main() -> None:
    bench = json.loads((HERE / "build" / "bench.json").read_text(encoding="utf-8"))
    found = json.loads((HERE / "nanoseconds.json").read_text(encoding="utf-8"))
    page = (HERE / "README.md").read_text(encoding="utf-8")
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    told = (
        f"## Figures\n\n{figures(bench)}## Where each nanosecond goes\n\n{nanoseconds(found)}## How the cost grows\n\n"
        f"{growth(bench['growth'])}![Growth of the cost; the band is 25% around the second size](growth.png)\n"
    )
    (HERE / "README.md").write_text(before + BEGIN + told + END + after, encoding="utf-8")
    draw(bench["growth"])


if __name__ == "__main__":
    main()
