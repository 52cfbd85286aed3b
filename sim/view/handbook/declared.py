"""Tables of what the code declares: parameters, rules, the day, switches, decisions of chance, outcomes."""

import ast
import inspect
from dataclasses import fields
from types import ModuleType
from typing import Final

from sim.engine import scalar
from sim.engine.table import NEUTRAL_NUMBERS, NEUTRAL_THEATRES, NEUTRAL_WINGS
from sim.rules import decisions, outcomes
from sim.rules.day import STEPS
from sim.study import declared
from sim.study.summary import PRIOR_DRIVEN
from sim.view.handbook.markdown import Row, code, table
from sim.view.handbook.told import Rule, rules_of, told
from sim.world.mechanisms import MECHANISM_NAMES, Mechanisms
from sim.world.parameters import Theatre, Wing, shared_declarations
from sim.world.parameters import declared as of_group
from sim.world.scenario import load

CHANCE_DECIDES: Final = {
    "a wing": {
        "COUNT": "how many attacks it makes",
        "FATE": "what becomes of its attack k",
        "INJURED": "how many its attack k injures",
        "KILLED": "how many its attack k kills",
    },
    "the target": {
        "LIMITED": "whether a limited response comes",
        "LEADER": "whether a chance to strike a leader comes",
        "ATTRIBUTION": "whether its response goes by recent attacks",
        "WHOM": "which wing it hits",
    },
    "the patron": {
        "RELEASE": "whether the order to hold back is released",
        "ANSWER": "whether it openly answers acts against itself",
        "WAR": "whether direct war breaks out",
    },
}
"""Who takes each decision of `sim.rules.decisions` by chance, and what is drawn."""

_BY_ATTACK: Final = ("FATE", "INJURED", "KILLED")


def parameter_table() -> str:
    """Every parameter that holds for a whole case, with its value in the article's."""
    heads = ("Key", "Symbol", "Default", "Range", "Unit", "Prior", "Class", "Source", "Meaning")
    return table(heads, (_parameter(row) for row in _article() if row.key in shared_declarations()))


def _parameter(row: declared.Row) -> Row:
    span, value = f"{row.low:g} to {row.high:g}", f"{row.value:g}"
    return code(row.key), row.symbol, value, span, row.unit, row.prior, row.provenance, row.source, row.text


def cast_table(prefix: str) -> str:
    """The numbers of the article's wings (`militia`) or theatres (`theatre`), each with its class and source."""
    rows = (row for row in _article() if row.key.startswith(f"{prefix}."))
    told = ((code(row.key), f"{row.value:g}", row.unit, row.provenance, row.source) for row in rows)
    return table(("Key", "Value", "Unit", "Class", "Source"), told)


def _article() -> list[declared.Row]:
    return declared.parameter_rows(load().scenario)


def symbol_table() -> str:
    """From the symbols of the formulas to the keys of the configuration."""
    shared = ((one.symbol, code(key), one.unit) for key, one in shared_declarations().items())
    placed = (
        (one.symbol, code(f"{prefix}.{name}"), one.unit)
        for prefix, group in (("militia.WING", Wing), ("theatre.THEATRE", Theatre))
        for name, one in of_group(group)
    )
    return table(("Symbol", "Key", "Unit"), (*shared, *placed))


def rule_table(module: ModuleType) -> str:
    """The rules of one role: what each says, its formula, units and source, as their docstrings have it."""
    return table(("Rule", "What it says", "Formula", "Units", "Source"), map(_rule, rules_of(module)))


def _rule(rule: Rule) -> Row:
    said, module = told(rule), rule.__module__.rpartition(".")[2]
    formula = "<br>".join(map(code, said.formula))
    return code(f"{module}.{rule.__name__}"), said.summary, formula, said.units, said.source


def day_table() -> str:
    """The steps of a day, in order, as the engines take them."""
    steps = ((name, inspect.getdoc(getattr(scalar, name)) or "") for name in STEPS)
    return table(("", "Step", "What happens"), ((str(n), code(name), text) for n, (name, text) in enumerate(steps, 1)))


def mechanism_table() -> str:
    """The switches: what happens when on, and which number is put to which value when off."""
    meant = dict(zip(MECHANISM_NAMES, attribute_docs(Mechanisms), strict=True))
    rows = ((code(f"mechanisms.{name}"), meant[name], _neutral(name)) for name in MECHANISM_NAMES)
    return table(("Key", "On", "Off"), rows)


def _neutral(mechanism: str) -> str:
    if mechanism == "autonomy":
        return "factors on every wing's autonomy and ideology = 0"
    groups = (NEUTRAL_NUMBERS, NEUTRAL_THEATRES, NEUTRAL_WINGS)
    values = {name: value for group in groups for name, value in group.get(mechanism, {}).items()}
    return ", ".join(f"{code(name)} = {value:g}" for name, value in values.items())


def attribute_docs(described: type) -> list[str]:
    """The strings that stand under the fields of a dataclass, one per field."""
    body = ast.parse(inspect.getsource(described)).body[0]
    assert isinstance(body, ast.ClassDef)
    told = [
        " ".join(ast.literal_eval(after.value).split())
        for field, after in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr)
    ]
    assert len(told) == len(fields(described)), described
    return told


def decision_table() -> str:
    """Every decision that chance takes, with its number; k counts the attacks of a day from 0."""
    rows = (
        (actor, code(name), f"{getattr(decisions, name)}{' + k' if name in _BY_ATTACK else ''}", text)
        for actor, own in CHANCE_DECIDES.items()
        for name, text in own.items()
    )
    return table(("Who", "Decision", "Number", "What is drawn"), rows)


def outcome_table() -> str:
    """What is kept of every history, and whether assumed numbers rather than the article decide it."""
    heads = ("Outcome", "Unit", "Meaning", "Heavy tail", "Prior-driven")
    return table(heads, map(_outcome, (*outcomes.RECORDED, *outcomes.DERIVED)))


def _outcome(one: outcomes.Outcome) -> Row:
    heavy, driven = one.heavy_tailed, one.name in PRIOR_DRIVEN
    return code(one.name), one.unit, one.text, "yes" if heavy else "", "yes" if driven else ""
