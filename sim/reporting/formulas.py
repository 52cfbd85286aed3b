"""The formulas of the rules, as every page shows them: parsed from docstrings, set in TeX, drawn as MathML.

A rule says its formula once, in plain text. `tex` translates it, so a formula cannot differ between the code, the
documents, the page and a notebook. What a symbol stands for is declared with the parameters, and here for all else.
"""

import ast
import doctest
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Final, NamedTuple

import sim.rules as rule_package
from sim.model.parameters import Theatre, Wing, group_declarations, shared_declarations
from sim.model.validation import UserError, one_of

Rule = Callable[..., Any]


@dataclass(frozen=True)
class RuleDocstring:
    """The parsed docstring of a rule; `worked` are the inputs of its worked value by name, `gives` the result.

    A part that the docstring does not have is empty.
    """

    summary: str
    formula: tuple[str, ...]
    units: str
    source: str
    worked: dict[str, Any]
    gives: str


def rules_of(module: ModuleType) -> list[Rule]:
    """The rules that a module defines, in its order."""
    mine = (one for _, one in inspect.getmembers(module, inspect.isfunction) if one.__module__ == module.__name__)
    return sorted(mine, key=lambda one: one.__code__.co_firstlineno)


def parse_docstring(rule: Rule) -> RuleDocstring:
    """Parse the docstring of a rule.

    >>> from sim.rules.rates import decay_factor
    >>> card = parse_docstring(decay_factor)
    >>> card.formula, card.units, card.worked, card.gives
    (('keep = exp(-ln 2 / h)',), 'half_life in days (above 0), result 1/day.', {'half_life': 1.0}, '0.5')
    """
    summary, *parts = (inspect.getdoc(rule) or "").split("\n\n")
    about = next((part for part in parts if part.startswith("Units:")), "")
    formula = parts[: parts.index(about)] if about else []
    units, _, source = " ".join(about.split()).removeprefix("Units: ").partition(" Source: ")
    worked, gives = _worked(rule)
    lines = tuple(line.strip() for part in formula for line in part.splitlines())
    return RuleDocstring(" ".join(summary.split()), lines, units, source, worked, gives)


def _worked(rule: Rule) -> tuple[dict[str, Any], str]:
    """Inputs and result of the first example that calls the rule with plain numbers."""
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(rule) or ""):
        for call in ast.walk(ast.parse(example.source)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == rule.__name__:
                values = [ast.literal_eval(one) for one in call.args]
                return dict(inspect.signature(rule).bind(*values).arguments), example.want.strip()
    return {}, ""


@cache
def every_rule() -> dict[str, Rule]:
    """All rules by module and name, such as `militia.hold`."""
    names = [one.name for one in iter_modules(rule_package.__path__) if one.name != "samplers"]  # these are no rules
    return {f"{name}.{one.__name__}": one for name in names for one in rules_of(import_module(f"sim.rules.{name}"))}


@dataclass(frozen=True)
class Formula:
    """A formula as the docstring of a rule has it, which a notebook shows as mathematics."""

    text: str

    def __str__(self) -> str:
        return self.text

    def _repr_latex_(self) -> str:
        return f"$${tex(self.text)}$$"


def formula(rule: str) -> Formula:
    r"""The formula of a rule, as every page shows it; a notebook sets it where it is the last line of a cell.

    Args:
        rule: module and name of the rule.

    Raises:
        UserError: there is no such rule.

    >>> str(formula("militia.hold")), formula("rates.decay_factor")._repr_latex_()
    ('L * (1 - a)', '$$\\text{keep} = \\exp(- \\ln 2 / h)$$')
    """
    if rule not in every_rule():
        raise UserError("rule", rule, one_of(every_rule(), rule))
    return Formula("; ".join(parse_docstring(every_rule()[rule]).formula))


# --- symbols ------------------------------------------------------------------------------------------------


class Symbol(NamedTuple):
    """What a symbol of the formulas stands for; `key` is a parameter, a state or a kind of event."""

    symbol: str
    name: str
    meaning: str
    unit: str
    key: str = ""

    @property
    def tex(self) -> str:
        """The symbol in TeX."""
        return tex(self.symbol)


OF_THE_DAY: Final = (
    Symbol("W", "Perceived war risk", "war risk as the patron perceives it", "1", "war_risk"),
    Symbol("D", "Directive", "activity that the patron asks of a theatre, as wings know it today", "1", "directive"),
    Symbol("M", "Pressure", "pressure of the mediators, as a wing feels it today", "1", "pressure"),
    Symbol("U", "Provocation", "how far the target is provoked", "attacks", "provocation"),
    Symbol("G", "Intensity", "intensity of the rival's war, 1 in its first autumn", "1", "intensity"),
    Symbol("g", "Gate", "how far the rival's war opens the gate for attacks in a theatre", "1"),
    Symbol("R", "Surge", "factor of the timeline on the attacks in a theatre", "1", "attack_multiplier"),
    Symbol("c", "Compliance", "how far a wing complies", "1", "compliance"),
    Symbol("c*", "Goal of compliance", "compliance that a wing ends at under an order to hold back", "1"),
    Symbol("f", "Fear", "fear of a wing, in log attack rate", "1", "fear"),
    Symbol("v", "Grievance", "grievance of a wing, in log attack rate", "1", "grievance"),
    Symbol("kappa", "Capacity", "capacity that a wing has left", "1", "capacity"),
    Symbol("lambda", "Rate", "attacks that a wing intends today", "attacks/day", "rate"),
    Symbol("n", "Attacks", "attacks that a wing made yesterday", "attacks", "attacks"),
    Symbol("x", "Shock", "shock to the log rates of a theatre; in a definition any quantity", "1", "shock"),
    Symbol("w", "Weight", "weight of a theatre among those where the target is attacked", "1", "weight"),
    Symbol("w_mean", "Mean weight", "mean of these weights, by the baseline rates of the theatres", "1"),
    Symbol("S_own", "Strikes on the wing", "strikes of yesterday on the wing itself", "limited strikes", "struck"),
    Symbol("S_collective", "Strikes nearby", "those on other wings of its collective", "limited strikes", "nearby"),
    Symbol("S_total", "All strikes", "strikes of yesterday on all wings", "limited strikes", "strikes"),
    Symbol("S_home", "Strikes at home", "those in the mediators' own country", "limited strikes", "strikes_home"),
    Symbol("phi_other", "Fear of a strike nearby", "that of a strike on the wing, times the spillover", "1 per strike"),
    Symbol("psi_own", "Grievance of a strike", "fear of a strike plus its net effect, at least 0", "1 per strike"),
    Symbol(
        "psi_other",
        "Grievance of a strike nearby",
        "that of a strike on the wing, times the spillover",
        "1 per strike",
    ),
    Symbol("keep", "Daily share", "share that a half-life leaves after a day; its index names the quantity", "1/day"),
    Symbol("h", "Daily rate", "rate at which an episode ends; in the daily share a half-life", "1/day"),
    Symbol("H", "Cumulative hazard", "sum of the daily rates of an episode so far", "1", "release_hazard"),
    Symbol("u", "Random number", "uniform between 0 and 1, found by what it decides", "1"),
    Symbol("z", "Normal number", "standard normal number of a uniform one, within 2e-4 of its value", "1"),
    Symbol("k", "Killed", "soldiers killed by a lethal attack", "soldiers"),
    Symbol("P", "Probability", "probability of what stands in brackets", "1"),
    Symbol("p", "Probability", "a probability of an attack: to get through, or to be acknowledged", "1"),
    Symbol("q", "Share for small attacks", "what a small attack has of that probability", "1"),
)
"""Symbols that are no parameters: states, inputs of the timeline and numbers that follow from parameters."""


@cache
def symbols() -> tuple[Symbol, ...]:
    """Every symbol, those of the day first, then the parameters."""
    shared = tuple(shared_declarations().items())
    own = tuple(
        (f"{prefix}.{name}", one)
        for prefix, group in (("militia.WING", Wing), ("theatre.THEATRE", Theatre))
        for name, one in group_declarations(group)
    )
    return (*OF_THE_DAY, *(Symbol(one.symbol, one.title, one.text, one.unit, key) for key, one in (*shared, *own)))


def symbols_in(formulas: Sequence[str]) -> tuple[Symbol, ...]:
    """The symbols that formulas use, in the order of the table.

    >>> [one.symbol for one in symbols_in(["f <- f keep_f + J while a wing fears"])]
    ['f', 'keep', 'J']
    """
    found = {one for formula in formulas for one in _names(formula)}
    return tuple(one for one in symbols() if one.symbol in found)


def unknown_in(formula: str) -> list[str]:
    """Signs of a formula that look like symbols and are none."""
    known = {one.symbol for one in symbols()}
    return [one for one in _names(formula) if one not in known and _is_symbol(one)]


def _names(formula: str) -> list[str]:
    """The words of a formula that may be symbols; a daily share counts without its index."""
    tokens = _TOKEN.findall(formula)
    words = [one for place, one in enumerate(tokens) if one[0].isalpha() and not _is_article(tokens, place)]
    return ["keep" if one.startswith("keep_") else one for one in words]


# --- TeX ----------------------------------------------------------------------------------------------------

_TOKEN: Final = re.compile(r"c\*(?!\*)|\d+(?:\.\d+)?|[A-Za-z][\w']*|\*\*|<-|->|<=|>=|\S")
_GREEK: Final = frozenset("alpha beta gamma epsilon zeta kappa lambda xi rho sigma tau phi psi mu".split())
_FUNCTIONS: Final = {
    **{name: rf"\{name}" for name in ("exp", "ln", "min", "max")},
    "log2": r"\log_2", "clip": r"\operatorname{clip}",
}  # fmt: skip
_SIGNS: Final = {"<-": r"\leftarrow", "->": r"\to", "<=": r"\le", ">=": r"\ge", "*": r"\cdot", "c*": r"c^{\ast}"}
_ENCLOSING: Final = {"sqrt": r"\sqrt{%s}", "floor": r"\lfloor %s \rfloor"}
_OPERATORS: Final = frozenset("+ - * / = < > <= >= <- -> ** ^".split())
_CLAUSE: Final = frozenset(", ; : after at but by else if in is of on once or so under when where while with".split())
"""A run of words with one of these is a part of the sentence; else it is the name of a quantity."""


def tex(formula: str) -> str:
    r"""A formula of a docstring in TeX: symbols and signs as mathematics, all other words as text.

    >>> print(tex("c <- c + speed (c* - c) while D < 1, else c - r_relax c"))
    c \leftarrow c + \text{speed }(c^{\ast} - c)\text{ while }D < 1\text{, else }c - r_{\text{relax}} c
    >>> print(tex("P(k or more) = (k ** (1 - alpha) - 1) / span"))
    P(k\text{ or more}) = (k^{1 - \alpha} - 1) / \text{span}
    """
    return _set(_TOKEN.findall(formula))


def segments(formula: str) -> list[tuple[bool, str]]:
    r"""A formula as mathematics (true) and words in turn, so that lines can break between them.

    >>> segments("c while D < 1, else 0")
    [(True, 'c'), (False, 'while'), (True, 'D < 1'), (False, ', else'), (True, '0')]
    """
    tokens, found, start, place, depth = _TOKEN.findall(formula), [], 0, 0, 0
    while place < len(tokens):
        end = _end_of_prose(tokens, place)
        if depth == 0 and end - place and (end - place > 3 or _CLAUSE.intersection(tokens[place:end])):
            found += [(True, _set(tokens[start:place])), (False, _words(tokens[place:end]))]
            start = end
        depth += (tokens[place] in "([") - (tokens[place] in ")]")
        place = max(end, place + 1)
    return [one for one in (*found, (True, _set(tokens[start:]))) if one[1]]


def markdown(formula: str) -> str:
    r"""A formula in Markdown, its mathematics between dollars.

    >>> print(markdown("lethal if u < p_pen, else unnoticed"))
    lethal if $u < p_{\text{pen}}$, else unnoticed
    """
    return _words([f"${text}$" if mathematics else text for mathematics, text in segments(formula)])


def formula_in_html(formula: str) -> str:
    """A formula in HTML, its mathematics as MathML.

    >>> formula_in_html("nothing, else drawn")
    'nothing, else drawn'
    """
    parts = (mathml(text) if mathematics else escape(text) for mathematics, text in segments(formula))
    return "".join(part if part[0] in ",;:" else f" {part}" for part in parts).strip()


def mathml(text: str, block: bool = False) -> str:
    """TeX as MathML, which browsers draw themselves: no script, no fonts, nothing to fetch."""
    from docutils.utils.math.latex2mathml import tex2mathml

    drawn = str(tex2mathml(text, as_block=block))
    return re.sub("<mi>(exp|ln)</mi>", r'<mspace width="0.17em"></mspace><mi>\1</mi>', drawn)


def _words(words: Iterable[str]) -> str:
    return re.sub(r" (?=[,;:])", "", " ".join(words))


def _set(tokens: Sequence[str]) -> str:
    """Tokens in TeX."""
    pieces: list[str] = []
    place = 0
    while place < len(tokens):
        token, end = tokens[place], _end_of_prose(tokens, place)
        if end > place:
            pieces.append(_text(tokens, place, end))
        elif token in _ENCLOSING or token in ("**", "^"):
            end = _end_of_group(tokens, place + 1)
            inside = tokens[place + 1 : end]
            inner = _set(inside[1:-1] if inside[0] == "(" else inside)
            pieces.append(_ENCLOSING[token] % inner if token in _ENCLOSING else f"^{{{inner}}}")
        else:
            end = place + 1
            pieces.append(_sign(token, _follows_atom(tokens, place)))
        place = end
    joined = re.sub(r" (?=[)\],^])|(?<=[(\[]) ", "", " ".join(pieces))
    joined = re.sub(r" (?=\\text\{[ ,;])|(?<= \}) ", "", joined)
    return re.sub(r"(\\(?:exp|ln|min|max|log_2|operatorname\{clip\})|\bP|\bz) \(", r"\1(", joined)


def _sign(token: str, after_atom: bool) -> str:
    """A symbol, a number or an operator in TeX."""
    if token in _SIGNS or token in _FUNCTIONS:
        return _SIGNS.get(token) or _FUNCTIONS[token]
    base, _, index = token.partition("_")
    head = _letters(base, " " if after_atom else "")
    return f"{head}_{{{_letters(index)}}}" if index else head


def _letters(name: str, space: str = "") -> str:
    if name in _GREEK:
        return r"\varepsilon" if name == "epsilon" else rf"\{name}"
    if len(name) == 1 or not name[0].isalpha():
        return name
    return rf"\text{{{space}{name.replace('_', ', ')}}}"


def _text(tokens: Sequence[str], start: int, end: int) -> str:
    """A run of words as text, with spaces where symbols stand next to it."""
    words = _words(tokens[start:end])
    before = " " if _follows_atom(tokens, start) and words[0] not in ",;:" else ""
    after = " " if end < len(tokens) and tokens[end] not in {")", "]"} | _OPERATORS else ""
    return rf"\text{{{before}{words}{after}}}"


def _follows_atom(tokens: Sequence[str], place: int) -> bool:
    """Whether a symbol, a number or a closed bracket stands before."""
    return place > 0 and tokens[place - 1] not in {"(", "["} | _OPERATORS


def _end_of_prose(tokens: Sequence[str], start: int) -> int:
    """Where the run of words that begins here ends; here, if none does."""
    end = start
    while end < len(tokens) and _is_prose(tokens, end):
        end += 1
    return end


def _is_prose(tokens: Sequence[str], place: int) -> bool:
    """Whether a token is a word, or punctuation next to one."""
    token = tokens[place]
    if token in (",", ":"):
        neighbours = [one for one in (place - 1, place + 1) if 0 <= one < len(tokens)]
        return any(tokens[one][0].isalpha() and _is_prose(tokens, one) for one in neighbours)
    return token == ";" or (token[0].isalpha() and (_is_article(tokens, place) or not _is_mathematics(token)))


def _is_mathematics(word: str) -> bool:
    """Whether a word is a function or looks like a symbol: one letter, a Greek one, one with an index."""
    return word in _FUNCTIONS or word in _ENCLOSING or _is_symbol(word)


def _is_symbol(word: str) -> bool:
    return word in _GREEK or len(word) == 1 or "_" in word or word == "c*"


def _is_article(tokens: Sequence[str], place: int) -> bool:
    """Whether an "a" is an article rather than the autonomy of a wing: a word follows it."""
    after = tokens[place + 1] if place + 1 < len(tokens) else ""
    return tokens[place] == "a" and after[:1].isalpha() and not _is_mathematics(after)


def _end_of_group(tokens: Sequence[str], start: int) -> int:
    """Where the bracket that opens at `start` is closed, or the place after a single token."""
    depth = 0
    for place in range(start, len(tokens)):
        depth += (tokens[place] == "(") - (tokens[place] == ")")
        if depth == 0:
            return place + 1
    raise ValueError(f"a bracket that is not closed: {' '.join(tokens)}")
