"""How the site is built: `make docs`. Pages come from `docs/pages.py`; nothing is fetched, then or by readers."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

import sim
from sim.reporting.docs_tables import ROLES
from sim.reporting.formulas import mathml, parse_docstring, segments

project = "Lull"
author = "the Lull developers"
project_copyright = author
release = version = sim.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
highlight_language = "none"
default_role = "code"
smartquotes_action = "D"

# Notebooks are carried out by `make notebooks`; the site shows what came out.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_code_prompt_show = "Show the solution"
nb_code_prompt_hide = "Hide the solution"
myst_enable_extensions = ["dollarmath", "linkify"]
myst_linkify_fuzzy_links = False
myst_heading_anchors = 4

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
templates_path = [str(Path(__file__).parent / "templates")]
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
python_maximum_signature_line_length = 88

# Only what is public has a page: fields of what is handed out name their types and promise no more. Types of other
# libraries are documented by these, and a site that is built without the network cannot ask them.
nitpick_ignore_regex = [
    ("py:class", r"sim\.(app|commands|reporting|analysis|experiment|engine|model)\..*"),
    (
        "py:.*",
        r"(numpy|pandas|rich|xarray|xr|pd|np|matplotlib|mesa|collections|pathlib|datetime|omegaconf|dask|Figure)(\..*)?",
    ),
]

html_theme = "furo"
html_title = f"Lull {sim.__version__}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_domain_indices = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options: dict[str, Any] = {"navigation_with_keys": True}


def formula(self: Any, node: nodes.math) -> None:
    """Write a formula as MathML, which browsers draw themselves: no script, no fonts."""
    self.body.append(mathml(node.astext(), block=isinstance(node, nodes.math_block)))
    raise nodes.SkipNode


def plain_rules(app: Sphinx, what: str, name: str, shown: object, options: object, lines: list[str]) -> None:
    """Set a rule's formula, and its units and source as what they are."""
    if what != "function" or not name.startswith(tuple(module.__name__ for module in ROLES)):
        return
    said = parse_docstring(shown)  # type: ignore[arg-type]
    worked = [line for line in lines if line.startswith(">>>")]
    start = lines.index(worked[0]) if worked else len(lines)
    lines[:] = [
        *(said.summary, ""),
        *(part for line in said.formula for part in (in_rest(line), "")),
        *(f":Units: {literal(said.units)}", f":Source: {literal(said.source)}", ""),
        *lines[start:],
    ]


def tables(app: Sphinx, what: str, name: str, shown: object, options: object, lines: list[str]) -> None:
    """Turn tables in docstrings, which are Markdown's, into those of reStructuredText."""
    told: list[str] = []
    for line, before in zip(lines, ["", *lines], strict=False):
        if not line.startswith("|"):
            told.append(line)
            continue
        if not before.startswith("|"):
            told += [".. list-table::", "   :header-rows: 1", ""]
        if not line.startswith("|--"):
            cells = [cell.strip() for cell in line[1:-1].split("|")]
            told += [f"   {'  -' if number else '* -'} {cell}" for number, cell in enumerate(cells)]
    lines[:] = told


def inherited(app: Sphinx, what: str, name: str, shown: object, skip: bool, options: object) -> bool | None:
    """Leave out what another library has put into a class of ours."""
    return None if (getattr(shown, "__module__", "sim") or "").startswith("sim") else True


def unmade(
    app: Sphinx, what: str, name: str, shown: object, options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Leave out how a class is made that callers are handed: those that they make are named `sim.NAME`."""
    return ("", None) if what == "class" and name.count(".") > 1 else (signature, returned)


def in_rest(formula: str) -> str:
    """A formula as reStructuredText, its mathematics in the role for it."""
    parts = (f":math:`{text}`" if mathematics else literal(text) for mathematics, text in segments(formula))
    return " ".join(parts).replace("` ,", "`\\ ,").replace("` ;", "`\\ ;")


def literal(text: str) -> str:
    """Text without any of reStructuredText's signs."""
    return "".join(f"\\{one}" if one in "*`_|\\" else one for one in text)


def setup(app: Sphinx) -> None:
    """Add what is our own."""
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))
    app.connect("autodoc-process-docstring", plain_rules, priority=1000)
    app.connect("autodoc-process-docstring", tables)
    app.connect("autodoc-skip-member", inherited)
    app.connect("autodoc-process-signature", unmade)
