"""From a file of the user's to an extension."""

import linecache
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from sim.world.errors import UserError
from sim.world.extension.declared import Extension

KEY = "extensions"


def extension_of(given: "Extension | Path | str") -> Extension:
    """The extension itself, or the one that a Python file defines.

    Raises:
        UserError: there is no such file, it cannot be run, or it does not define one extension.
    """
    if isinstance(given, Extension):
        return given
    path = Path(given)
    if path.suffix != ".py" or not path.is_file():
        raise UserError(KEY, given, "existing Python files that define an Extension")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(KEY, given, f"files that can be read ({problem})") from None
    return read_text(text, str(path))


def read_text(text: str, name: str) -> Extension:
    """The extension that a text defines; `name` is that of its file.

    The text is run as Python, in a module that nobody else can find.

    Raises:
        UserError: it cannot be run, or does not define one extension.
    """
    module = ModuleType(f"extension_{Path(name).stem}")
    module.__file__ = name
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        exec(compile(text, name, "exec"), module.__dict__)
    except UserError:
        raise
    except SyntaxError as problem:
        raise UserError(KEY, name, f"a Python file (line {problem.lineno}: {problem.msg})") from None
    except Exception as problem:
        raise UserError(KEY, name, f"a file that runs ({type(problem).__name__}: {problem})") from None
    found = [value for value in vars(module).values() if isinstance(value, Extension)]
    if len(found) != 1:
        raise UserError(KEY, f"{name} with {len(found)} of them", "files that define one Extension each")
    made = found[0]
    return Extension(made.name, made.mechanisms, made.outcomes, made.rules, text)


def extensions_of(given: Sequence["Extension | Path | str"]) -> tuple[Extension, ...]:
    """Several, in order.

    Raises:
        UserError: one cannot be read, or two bring the same name.
    """
    found = tuple(extension_of(one) for one in given)
    for what in ("mechanisms", "outcomes"):
        names = [one.name for extension in found for one in getattr(extension, what)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(KEY, twice[0], f"each of the {what} once")
    for names in ([one.name for one in found], [name for one in found for name in one.rules]):
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(KEY, twice[0], "each extension, and each replaced rule, once")
    return found
