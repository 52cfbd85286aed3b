"""Output for another case has its words alone: no name of the shipped case, and no fact that it does not have."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

from sim.cli import main
from sim.model.package_data import data_folder
from sim.model.scenario import load, parameter_rows

pytestmark = pytest.mark.usefixtures("small_sides")
SMALL = ("scenario=salt_coast", "study.runs=4")
FEW = (*SMALL, "study.draws=4", "parameters=prior")
MECHANISMS = "[rival_war_gate,major_response]"
PAIR = "scenarios=[salt_coast,salt_coast;mechanisms.target_restraint=false]"
COMMANDS = {
    "run": ("run", *SMALL),
    "replay": ("replay", "run=3", "scenario=salt_coast"),
    "compare": ("compare", PAIR, *FEW[1:]),
    "explain": ("explain", "outcome=attacks_lull", f"mechanisms={MECHANISMS}", *FEW),
    "report": ("report", PAIR, *FEW[1:], f"report.mechanisms={MECHANISMS}", "report.share_runs=2"),
    "parameters": ("parameters", "scenario=salt_coast"),
    "sweep": ("sweep", "patron.control=interval(0.2,1)", "study.points=2", *SMALL),
}


@cache
def shipped_words() -> list[str]:
    """Proper names of the shipped case, from its own configuration, and what else only it has."""
    cast = yaml.safe_load((data_folder("configs") / "actors" / "middle_east.yaml").read_text(encoding="utf-8"))
    names = [one for key, one in cast["names"].items() if key != "facts"]
    names += [part["name"] for kind in ("theatre", "militia") for part in cast[kind].values()]
    words = {word for name in names for word in re.findall(r"[A-Z][\w'-]{3,}", name)}
    words |= {"Gaza", "article", "Article", "Baghdad", "Tehran", "Tower 22", "Iranian", "Iraqi"}
    return sorted(words - {"Other"})


def leaks(text: str) -> list[str]:
    """Where a text names the shipped case; pictures inside a page are left out."""
    text = re.sub(r'data:[^"\')]*|<style.*?</style>', "", text, flags=re.DOTALL)
    pattern = rf"\b(?:{'|'.join(map(re.escape, shipped_words()))})\b|\bF\d\d\b|\bUS\b|\bus_|\bgaza_"
    found = re.finditer(pattern, text)
    return [text[max(0, one.start() - 40) : one.end() + 40] for one in found]


def texts_in(folder: Path) -> dict[str, str]:
    """Everything in words that a verb has written, by file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".csv", ".json", ".html", ".yaml", ".txt", ".svg"):
            found[path.name] = path.read_text(encoding="utf-8")
        elif path.suffix == ".nc":
            with xr.open_dataset(path) as data:
                found[path.name] = "\n".join(
                    str(attrs) for attrs in (data.attrs, *(one.attrs for one in data.variables.values()))
                )
    return found


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_case_of_its_own_has_no_word_of_the_shipped_case(verb, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    where = () if verb == "parameters" else (f"output.dir={verb}",)
    assert main([*COMMANDS[verb], *where]) == 0
    texts = {"printed": capsys.readouterr().out, **texts_in(tmp_path)}
    assert len(texts["printed"]) > 100
    assert {name: found for name, text in texts.items() if (found := leaks(text))} == {}


def test_the_shipped_case_is_full_of_such_words(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["parameters", "scenario=article"]) == 0
    assert {"F28", "F09"} <= set(re.findall(r"F\d\d", capsys.readouterr().out))
    for text in ("has not attacked Iran itself", "mechanisms.us_major", "F08; assumed"):
        assert leaks(text), text
    assert not leaks("the patron asks us for restraint")


def test_shared_numbers_have_the_sources_of_their_own_case_alone():
    own = [row for row in parameter_rows(load(["scenario=salt_coast"]).scenario) if row.key.startswith("target.")]
    assert {(row.provenance, row.source) for row in own} == {("assumed", "no source of this case")}
    shipped = {row.key: row for row in parameter_rows(load().scenario)}
    assert shipped["target.patron_strike_rung"].source == "F28: has not attacked the patron itself"
    assert np.isclose(shipped["target.patron_strike_rung"].value, 7.0)
