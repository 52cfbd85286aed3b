"""Mistakes in extensions: one line, exit code 2, nothing left behind; and what is recorded of them."""

import pickle
from pathlib import Path

import pytest

from sim import Change, Derived, Extension, Mechanism, State, Tallied, cli
from sim.engine.inputs import build_inputs
from sim.model.extension import extension_of
from sim.model.parameters import Declaration, uniform
from sim.model.scenario import load
from sim.model.validation import UserError
from tests.experiment.extensions import ACTORS, ALL, mechanism, written


@pytest.fixture(autouse=True)
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that holds the listings of docs/extending.md, and some more."""
    written(
        tmp_path,
        drift=mechanism(),
        other="from sim import Extension\n\nother = Extension('other', rules={'militia.fear': lambda now: now})\n",
        nothing="x = 1\n",
        broken="def (:\n",
        fails="raise ZeroDivisionError\n",
        two="from sim import Extension\n\none, two = Extension('one'), Extension('two')\n",
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(text: str, listings: Path) -> str:
    """The line that a file is refused with, by loading it and by working out its plan."""
    (listings / "mine.py").write_text(text)
    with pytest.raises(UserError) as caught:
        build_inputs(load(["extensions=mine.py"]).scenario)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- files and keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["extensions=missing.py"], "extensions = missing.py: allowed existing Python files"),
        (["extensions=mine"], "extensions = mine: allowed existing Python files"),
        (["extensions=broken.py"], "extensions = broken.py: allowed a Python file (line 1"),
        (["extensions=fails.py"], "extensions = fails.py: allowed a file that runs (ZeroDivisionError"),
        (["extensions=nothing.py"], "extensions = nothing.py with 0 of them: allowed"),
        (["extensions=two.py"], "extensions = two.py with 2 of them: allowed"),
        (["extensions=[calm.py,calm.py]"], "extensions = longest_calm: allowed each outcome once"),
        (["extensions=weariness.py", "weariness.strength=3"], "weariness.strength = 3: allowed 0 to 2"),
        (["extensions=weariness.py", "weariness.force=1"], "weariness.force = 1: allowed keys: "),
        (["extensions=weariness.py", "weariness.strength=much"], "weariness.strength = much: allowed a number"),
        (["extensions=weariness.py", "mechanisms.weariness=3"], "mechanisms.weariness = 3: allowed true or false"),
        (["extensions=spoilers.py", "spoiler.Bad={}"], "spoiler.Bad = Bad: allowed a name"),
        (["extensions=spoilers.py", "spoiler.one.strength=1"], "spoiler.one.strength = 1: allowed keys: "),
        (["weariness.strength=1"], "weariness.strength = 1: allowed keys: "),
        (["extensions=other.py"], "rules: militia.fear = (now): allowed the arguments (now, kept, own"),
    ],
)
def test_a_mistake_gives_one_line(overrides, line, capsys, listings):
    before = sorted(listings.iterdir())
    assert cli.main(["run", "study.runs=5", *overrides]) == 2
    printed = capsys.readouterr().err.strip()
    assert printed.startswith(f"lull: {line}"), printed
    assert "\n" not in printed
    assert sorted(listings.iterdir()) == before


def test_sweeps_refuse_the_same(capsys):
    for overrides in (["extensions=weariness.py", "weariness.strength=interval(0,3)"], ["extensions=calm.py,drift.py"]):
        assert cli.main(["sweep", *overrides, "study.points=4"]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_check_extension_wants_one_file(capsys):
    for words in ([], ["calm.py", "drift.py"], ["missing.py"]):
        assert cli.main(["check-extension", *words]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


# --- functions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("now ** force", "**"),
        ("np.exp(now)", "np.exp"),
        ("math.exp(now)", "math.exp"),
        ("random.random()", "random.random"),
        ("now.real", "real"),
        ("sorted((now, force))[0]", "sorted"),
        ("unknown(now)", "unknown"),
        ("sum(one for one in (now, force))", "a function inside"),
        ("print(now)", "print"),
    ],
)
def test_impure_functions_are_refused(expression, said, listings):
    text = "import math\nimport random\n\nimport numpy as np\n" + mechanism(expression)
    line = refused(text, listings)
    assert line.startswith("function change = ")
    assert said in line


@pytest.mark.parametrize(
    "expression",
    [
        "min(now, force)",
        "float(math.floor(now))",
        "exp(-now)",
        "helper(now) + LIMIT",
        "rates.clip01(now)",
        "abs(-now)",
    ],
)
def test_pure_functions_are_taken(expression, listings):
    text = (
        "import math\n\nfrom sim.numbers.arithmetic import exp\nfrom sim.rules import rates\n\nLIMIT = 2.0\n\n\n"
        "def helper(x: float) -> float:\n    return x + LIMIT\n" + mechanism(expression)
    )
    (listings / "mine.py").write_text(text)
    assert build_inputs(load(["extensions=mine.py"]).scenario).extras.shape == (1, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (mechanism("now + forse"), "function change = forse"),
        (
            mechanism().replace("force: float)", "wing_feer: float)").replace("now + force", "now + wing_feer"),
            "wing_fear",
        ),
        (mechanism(what="cuont"), "drift: change of cuont = cuont: allowed one of"),
        (mechanism(what="wing_attacks", at="morning"), "wing_attacks"),
        (mechanism(what="provocation"), "at=morning: at no other moment of a day may it change"),
        (mechanism(at="noon"), "at one of morning, orders, launch, attacks, strikes, evening"),
        (mechanism(name="patron"), "a name that no key, role or mechanism of the model has"),
        (mechanism(name="fear"), "a name that no key, role or mechanism of the model has"),
        (mechanism(name="Drift"), "a name of lower-case letters"),
        (mechanism(parameters='{"count": number()}'), "names of drift = count: allowed each name once"),
        (mechanism(parameters='{"force": number(5.0)}'), "a default from 0 to 1"),
        (mechanism(parameters='{"now": number()}'), "none of now, draw"),
    ],
)
def test_wrong_names_are_refused(text, said, listings):
    assert said in refused(text, listings)


@pytest.mark.parametrize(
    ("extension", "said"),
    [
        (lambda: Extension("mine", rules={"militia.hold": now_only}), "militia.hold"),
        (
            lambda: Extension("mine", outcomes=(Derived("x", "1", "x", now_only), Derived("x", "1", "x", now_only))),
            "once",
        ),
        (lambda: Extension("mine", outcomes=(Tallied("deaths", "1", "x", now_only),)), "deaths"),
        (lambda: Extension("mine", outcomes=(Derived("x", "1", "x", now_only),)), "argument now"),
        (lambda: Extension("mine", (Mechanism("drift", "x", ()),)), "one change or more"),
        (lambda: State("x", "1", "x", per="day"), "per one of"),  # type: ignore[arg-type]
    ],
)
def test_wrong_extensions_are_refused(extension, said):
    with pytest.raises(UserError, match=said) as caught:
        build_inputs(load(extensions=[extension()]).scenario)
    assert "\n" not in str(caught.value)


def now_only(now: float) -> float:
    return now


def twice(deaths: float) -> float:
    return 2.0 * deaths


# --- what is made of them -----------------------------------------------------------------------------------


def test_values_actors_and_switches_are_those_of_the_configuration():
    extended = load([ALL, *ACTORS, "weariness.strength=1", "mechanisms.weariness=false"]).scenario.extended
    assert extended.off == {"weariness"}
    assert extended.actors == {"spoiler": ("hardliners", "smugglers"), "cell": ("eastern", "western")}
    assert extended.values["weariness.strength"] == 1.0
    assert extended.values["spoiler.hardliners.reach"] == 4.0
    assert extended.values["spoiler.smugglers.reach"] == 2.0


def test_the_configuration_records_values_and_hashes_and_the_hash_follows_the_file(listings):
    first = load(["extensions=weariness.py"])
    assert first.tree["weariness"] == {"half_life": 30.0, "strength": 0.0}
    assert first.tree["mechanisms"]["weariness"] is True
    assert set(first.tree["extensions"]) == {"war_weariness"}
    path = listings / "weariness.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(["extensions=weariness.py"]).tree == first.tree
    path.write_text(path.read_text() + "\n# more\n")
    assert load(["extensions=weariness.py"]).tree["extensions"] != first.tree["extensions"]


def test_a_cell_counts_by_its_functions_and_what_they_call():
    def made(step: float) -> Extension:
        declared = Declaration(step, 0.0, 9.0, "1", uniform(0.0, 1.0), "assumed", "x", "x", "x")
        return Extension(
            "cell", (Mechanism("drift", "x", (Change("x", now_only),), {"a": declared}, (State("x", "1", "x"),)),)
        )

    assert made(1.0).source == made(1.0).source != made(2.0).source
    assert "def now_only" in made(1.0).source
    with pytest.raises(UserError, match="an extension read from a file"):
        pickle.dumps(made(1.0))


def test_an_extension_travels_as_its_text():
    sent = pickle.loads(pickle.dumps(extension_of("weariness.py")))
    assert sent.source == extension_of("weariness.py").source
    assert [one.name for one in sent.mechanisms] == ["weariness"]
