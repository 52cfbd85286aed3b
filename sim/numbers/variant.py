"""What a kernel is built with: functions and constants that it takes from an argument when it is compiled.

A kernel gets a `Variant` as a value and uses its members by name, as in `variant.role.rule(x)`. Compiled, the value is
empty and its type is the key: a kernel is compiled once for each key, with the functions inlined, and its cache finds
that code again in another process. So the key must say all that the functions do. Functions as arguments of their own
would have types that differ in every process.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    models,
    register_model,
    unbox,
)

_KNOWN: Final[dict[str, "Variant"]] = {}
"""Variants that kernels were called with, by key."""


class Variant:
    """Modules of rules, functions and flags by name, and a key: variants of one key are the same."""

    def __init__(self, key: str, **members: Any) -> None:
        self.key = key
        vars(self).update(members)
        _KNOWN[key] = self
        self._numba_type_ = VariantType(key)  # what Numba asks first, at each call

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class VariantType(types.Opaque):
    """The type of a variant in compiled code."""

    def __init__(self, variant: str) -> None:
        self.variant = variant
        super().__init__(f"Variant({variant})")


register_model(VariantType)(models.OpaqueModel)


@unbox(VariantType)  # type: ignore[untyped-decorator]
def _unbox(kind: VariantType, value: ir.Value, context: Any) -> NativeValue:
    return NativeValue(context.context.get_dummy_value())


@infer_getattr
class _Members(AttributeTemplate):
    key = VariantType

    def generic_resolve(self, kind: VariantType, name: str) -> types.Type:  # type: ignore[override]
        member = getattr(_KNOWN[kind.variant], name)
        return types.boolean if isinstance(member, bool) else self.context.resolve_value_type(member)


@lower_getattr_generic(VariantType)  # type: ignore[untyped-decorator]
def _member(context: Any, build: ir.IRBuilder, kind: VariantType, value: ir.Value, name: str) -> ir.Value:
    member = getattr(_KNOWN[kind.variant], name)
    return context.get_constant(types.boolean, member) if isinstance(member, bool) else context.get_dummy_value()
