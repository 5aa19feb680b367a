"""lsprotocol's types, built when they are first used.

Most of a pygls server's start is spent in one place: importing `lsprotocol.types` makes 554 attrs
classes, and attrs writes and compiles methods for each. A session uses a few dozen of them. So the
module is imported with a decorator in the place of `attrs.define` that leaves the class as it is
and builds it, by the real `attrs.define`, when somebody first makes an instance or asks for its
fields. The one difference is that the classes have no slots, because attrs makes a class with slots
anew, and this one is imported already: ask `attrs.fields_dict` for a field, not the class.

That holds as long as the module decorates its classes with a bare `@attrs.define`; a class that it
decorates otherwise is built at once, as ever. The tests compare every class with one that was built
the usual way.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_MODULE = "lsprotocol.types"

# Where attrs keeps a class's fields.
_FIELDS = "__attrs_attrs__"

_define: Callable[..., Any] = attrs.define

# Two threads may ask for one class at once, and building one builds those it names.
_guard = threading.RLock()


def load() -> None:
    """Import lsprotocol's types unbuilt; nothing happens when they are imported already."""
    if _MODULE in sys.modules:
        return
    attrs.define = _deferred
    try:
        import lsprotocol.types  # noqa: F401, PLC0415  # pyright: ignore[reportUnusedImport]
    finally:
        attrs.define = _define
    from lsprotocol import _hooks  # noqa: PLC0415

    # Otherwise the converter asks all classes for their fields at once, to replace the names of
    # types by the types. Here each class does that when it is built.
    if hasattr(_hooks, "_resolved_forward_references"):
        _hooks._resolved_forward_references = True  # pyright: ignore[reportPrivateUsage]


def _deferred(cls: type[T] | None = None, **options: object) -> Any:  # noqa: ANN401
    if cls is None or options or "__init__" in cls.__dict__:
        return _define(cls, **options)

    def build_and_init(self: T, *args: object, **named: object) -> None:
        _build(cls)
        cls.__init__(self, *args, **named)

    cls.__init__ = build_and_init
    setattr(cls, _FIELDS, _Fields())
    return cls


class _Fields:
    """Stands for a class's fields until someone asks for them."""

    def __get__(self, _instance: object, owner: type) -> object:
        _build(owner)
        return vars(owner)[_FIELDS]


def _build(cls: type) -> None:
    with _guard:
        if not isinstance(cls.__dict__.get(_FIELDS), _Fields):
            return
        delattr(cls, _FIELDS)
        del cls.__init__
        # Without slots: a class with slots would be another class than the one already imported.
        _define(cls, slots=False)
        names = sys.modules[_MODULE].ALL_TYPES_MAP
        attrs.resolve_types(cls, names, {})
