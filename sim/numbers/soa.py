"""Named rows of tables: structures of arrays that are light enough to be handed on by the dozen.

Numba passes an array as eight numbers or more, and a tuple of forty arrays costs more to call with than to loop over.
Compiled, a row is therefore one address. As plain Python it is a view; both are read as `rows.name[index]`.
"""

from functools import cache
from hashlib import blake2b
from typing import Any, Final, TypeVar, get_type_hints

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.templates import AttributeTemplate, Signature
from numba.extending import (
    infer_getattr,
    lower_builtin,
    lower_getattr_generic,
    models,
    register_model,
    type_callable,
)
from numba.np.arrayobj import make_array

T = TypeVar("T", bound=tuple[Any, ...])

VECTOR: Final = 32
"""Memory holds a whole number of these for each row: four of the widest vectors, so that loops which take several of
these at a time leave no rest."""


@cache
def row_kinds(kind: type) -> dict[str, Any]:
    """What a NamedTuple class says of each field: a class of rows by name, or something else for a single row."""
    hints = get_type_hints(kind, include_extras=True).items()
    found = {name: hint.__metadata__[0] if hasattr(hint, "__metadata__") else hint for name, hint in hints}
    return {name: one if isinstance(one, type) and issubclass(one, tuple) else None for name, one in found.items()}


def rows_of(kind: type[T], memory: Any, given: Any = None) -> T:
    """The rows of memory under the names of a NamedTuple class, each flat.

    `memory` is a contiguous table (F, ...) with a row for each of F names, or a tuple of tables and numbers that has
    the names of the class: what the class annotates with another such class becomes its rows, an array one row, and
    None, which stands for what Numba would take long to recognise in each call, what is `given`.
    """
    if not isinstance(memory, tuple):
        return kind(*(row.reshape(-1) for row in memory))
    pairs = zip(row_kinds(kind).values(), memory, strict=True)
    return kind(*(_flat(one, given) if within is None else rows_of(within, one, given) for within, one in pairs))


def _flat(one: Any, given: Any) -> Any:
    return given if one is None else one.reshape(-1) if hasattr(one, "reshape") else one


def _is_tuple(kind: Any) -> bool:
    return isinstance(kind, types.BaseTuple)


def _type_of(kind: Any, memory: Any, given: Any) -> Any:
    """The type of the rows of memory of this type; `kind` is None for a single row."""
    if isinstance(memory, types.Array):
        row = types.CPointer(memory.dtype)
        return row if kind is None else types.NamedUniTuple(row, len(kind._fields), kind)
    if not _is_tuple(memory):
        return given if memory is types.none else memory
    within = row_kinds(kind).values()
    return types.BaseTuple.from_types([_type_of(*pair, given) for pair in zip(within, memory.types, strict=True)], kind)


class StoredRows(types.Type):
    """The rows of a tuple of tables as compiled code hands them on: where they are kept, instead of all of them."""

    def __init__(self, held: Any) -> None:
        self.held = held
        super().__init__(f"{held.instance_class.__name__}-{blake2b(str(held).encode(), digest_size=8).hexdigest()}")


@register_model(StoredRows)
class _StoredModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: StoredRows) -> None:
        super().__init__(manager, kind, manager.lookup(kind.held).get_value_type().as_pointer())  # type: ignore[no-untyped-call]


def _stored(kind: Any) -> Any:
    return StoredRows(kind) if _is_tuple(kind) else kind


@infer_getattr
class _StoredMembers(AttributeTemplate):
    key = StoredRows

    def generic_resolve(self, kind: StoredRows, name: str) -> types.Type:  # type: ignore[override]
        found: types.Type = _stored(kind.held.types[kind.held.fields.index(name)])
        return found


@lower_getattr_generic(StoredRows)  # type: ignore[untyped-decorator]
def _member(context: Any, build: ir.IRBuilder, kind: StoredRows, value: ir.Value, name: str) -> ir.Value:
    place = kind.held.fields.index(name)
    kept = cgutils.gep_inbounds(build, value, 0, place)
    return kept if _is_tuple(kind.held.types[place]) else build.load(kept)


def fetched(given: Any) -> Any:
    """Arguments with the rows themselves instead of where they are kept."""
    return given


@type_callable(fetched)
def _fetched_type(context: Any) -> Any:
    return lambda given: types.BaseTuple.from_types([getattr(kind, "held", kind) for kind in given.types])


def _load(context: Any, build: ir.IRBuilder, kind: Any, kept: ir.Value) -> ir.Value:
    if not _is_tuple(kind):
        return build.load(kept)
    places = (cgutils.gep_inbounds(build, kept, 0, place) for place in range(len(kind.types)))
    return context.make_tuple(
        build, kind, [_load(context, build, *pair) for pair in zip(kind.types, places, strict=True)]
    )


@lower_builtin(fetched, types.BaseTuple)  # type: ignore[untyped-decorator]
def _emit_fetched(context: Any, build: ir.IRBuilder, signature: Signature, values: list[ir.Value]) -> ir.Value:
    kinds, made = signature.args[0].types, signature.return_type
    given = (build.extract_value(values[0], place) for place in range(len(kinds)))
    one = [
        _load(context, build, kind.held, value) if isinstance(kind, StoredRows) else value
        for kind, value in zip(kinds, given, strict=True)
    ]
    return impl_ret_borrowed(context, build, made, context.make_tuple(build, made, one))


@type_callable(rows_of)
def _rows_type(context: Any) -> Any:
    return lambda kind, memory, given: _stored(_type_of(kind.instance_class, memory, given))


@lower_builtin(rows_of, types.NamedTupleClass, types.BaseTuple, types.Any)  # type: ignore[untyped-decorator]
def _emit_rows(context: Any, build: ir.IRBuilder, signature: Signature, values: list[ir.Value]) -> ir.Value:
    def emit(made: Any, given: Any, memory: ir.Value) -> ir.Value:
        if _is_tuple(given):
            parts = (build.extract_value(memory, place) for place in range(given.count))
            return context.make_tuple(
                build, made, [emit(*one) for one in zip(made.types, given.types, parts, strict=True)]
            )
        if not isinstance(given, types.Array):
            return values[2] if given is types.none else memory
        table = make_array(given)(context, build, memory)
        if not _is_tuple(made):
            return table.data
        size = context.get_constant(types.intp, 1)
        for length in cgutils.unpack_tuple(build, table.shape)[1:]:
            size = build.mul(size, length)
        starts = (build.mul(size, context.get_constant(types.intp, n)) for n in range(made.count))
        return context.make_tuple(build, made, [build.gep(table.data, [start]) for start in starts])

    return cgutils.alloca_once_value(build, emit(signature.return_type.held, signature.args[1], values[1]))
