"""Named rows of one table: structures of arrays that are light enough to be handed on by the dozen.

Numba passes an array as eight numbers or more, and a tuple of forty arrays costs more to call with than to loop over.
Compiled, a row is therefore one address. As plain Python it is a view; both are read as `rows.name[index]`.
"""

from typing import Any, TypeVar

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import Signature
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import make_array

T = TypeVar("T", bound=tuple[Any, ...])


def rows_of(kind: type[T], table: Any) -> T:
    """The rows of a contiguous table (F, ...) under the F names of a NamedTuple class, each flat."""
    return kind(*(row.reshape(-1) for row in table))


def flat(table: Any) -> Any:
    """A contiguous table as one row."""
    return table.reshape(-1)


@type_callable(rows_of)
def _rows_type(context: Any) -> Any:
    def typer(kind: Any, table: Any) -> types.Type:
        count = len(kind.instance_class._fields)
        return types.NamedUniTuple(types.CPointer(table.dtype), count, kind.instance_class)

    return typer


def _emit_rows(context: Any, build: ir.IRBuilder, signature: Signature, values: list[ir.Value]) -> ir.Value:
    table = make_array(signature.args[1])(context, build, values[1])
    size = context.get_constant(types.intp, 1)
    for length in cgutils.unpack_tuple(build, table.shape)[1:]:
        size = build.mul(size, length)
    starts = (build.mul(size, context.get_constant(types.intp, n)) for n in range(signature.return_type.count))
    return context.make_tuple(build, signature.return_type, [build.gep(table.data, [start]) for start in starts])


@type_callable(flat)
def _flat_type(context: Any) -> Any:
    return lambda table: types.CPointer(table.dtype)


def _emit_flat(context: Any, build: ir.IRBuilder, signature: Signature, values: list[ir.Value]) -> ir.Value:
    return make_array(signature.args[0])(context, build, values[0]).data


lower_builtin(rows_of, types.NamedTupleClass, types.Array)(_emit_rows)
lower_builtin(flat, types.Array)(_emit_flat)
