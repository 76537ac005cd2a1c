"""`dataclass` and `replace` as the standard library has them, for small frozen classes made in a fifth of the time.

A cold start makes more than a hundred of them, and the standard library writes and compiles the source of six methods
for each. Here `__init__` alone is compiled, once it pays; the others are the same few functions for every class. They
are dataclasses all the same: `replace`, `fields` and `asdict` work, and whoever checks types sees the standard
library's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any

FILLED_IN_MAX = 8  # of a class, before its own `__init__` is compiled
FIELDS_OF_TWIN_MIN = 5  # from how many on becoming another class twice pays

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import replace as replace
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False, kw_only=False):
        """See `dataclasses.dataclass`; one that is not frozen is left to it."""

        def make(plain):
            if frozen:
                return _frozen(plain, slots, kw_only)
            return dataclasses.dataclass(slots=slots, kw_only=kw_only)(plain)

        return make if cls is None else make(cls)

    def replace(one, /, **changes):
        """See `dataclasses.replace`, which looks at every field anew each time and hands all of them over by name."""
        made = one.__class__
        if not made.__plain__:
            return made(**dict(zip(made.__fields__, made.__values__(one), strict=True)) | changes)
        other = made.__copied__(one)
        for name in changes:
            _set(other, name, changes[name])
        other.__class__ = made
        return other


_set = object.__setattr__


def _frozen(plain: type, slots: bool, kw_only: bool) -> Any:
    plain.__doc__ = plain.__doc__ or plain.__name__  # else the standard library works out a signature to stand there
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(plain)
    fields = dataclasses.fields(made)
    made.__init__ = _first_init(made, fields)
    made.__fields__ = tuple(field.name for field in fields)
    made.__values__ = staticmethod(_reader(made.__fields__))
    made.__plain__ = _is_plain(made)
    made.__copied__ = staticmethod(_first_copy(made))
    made.__compared__ = tuple(field.name for field in fields if field.compare)
    made.__eq__, made.__hash__, made.__repr__ = _eq, _hash, _repr
    made.__setattr__ = made.__delattr__ = _refuse
    made.__getstate__, made.__setstate__ = _state, _put_state
    return made


def _first_init(made: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    """An `__init__` for the first few instances, which makes the class's own when there are more: in a first turn most
    classes have none or a few, and to compile takes as long as to fill in fifty."""
    left = FILLED_IN_MAX

    def __init__(self: Any, *given: Any, **named: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0 or not _filled_in(self, fields, given, named):
            made.__init__ = _init(made, fields)
            made.__init__(self, *given, **named)

    return __init__


def _filled_in(self: Any, fields: tuple[dataclasses.Field[Any], ...], given: tuple[Any, ...], named: Any) -> bool:
    """Whether an instance could be made of these arguments; if not, a compiled `__init__` says why."""
    ordered = [field.name for field in fields if not field.kw_only]
    asked = dict(zip(ordered, given, strict=False)) | named
    if len(given) > len(ordered) or len(asked) < len(given) + len(named):
        return False
    for field in fields:
        if field.name in asked:
            value = asked.pop(field.name)
        elif field.default is not dataclasses.MISSING:
            value = field.default
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        else:
            return False
        _set(self, field.name, value)
    if asked:
        return False
    if hasattr(self, "__post_init__"):
        self.__post_init__()
    return True


def _init(made: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    """The one method that is compiled, for it runs most."""
    known: dict[str, Any] = {"_made": dataclasses.MISSING}
    if made.__plain__ and len(fields) >= FIELDS_OF_TWIN_MIN:
        known |= {"_set": _set, "_twin": _twin(made), "_frozen": made}
        assigned = [f"self.{field.name} = {_given(field, known)}" for field in fields]
        lines = [f" {each}" for each in ("_set(self, '__class__', _twin)", *assigned, "self.__class__ = _frozen")]
    else:
        lines = [" its = self.__dict__"] if made.__dictoffset__ else []
        lines += [f" {_assigned(made, field.name, _given(field, known), known)}" for field in fields]
    asked = [_parameter(field, known) for field in fields if not field.kw_only]
    named = [_parameter(field, known) for field in fields if field.kw_only]
    parameters = ", ".join(["self", *asked, *(["*", *named] if named else [])])
    lines += [" self.__post_init__()"] if hasattr(made, "__post_init__") else []
    exec("\n".join([f"def __init__({parameters}):", *(lines or [" pass"])]), known)  # noqa: S102 - names of fields alone
    init: Callable[..., None] = known["__init__"]
    return init


def _parameter(field: dataclasses.Field[Any], known: dict[str, Any]) -> str:
    if field.default is not dataclasses.MISSING:
        known[f"_of_{field.name}"] = field.default
        return f"{field.name}=_of_{field.name}"
    return f"{field.name}=_made" if field.default_factory is not dataclasses.MISSING else field.name


def _assigned(made: Any, name: str, given: str, known: dict[str, Any]) -> str:
    """A field put past `__setattr__` into its slot, or into the instance's dictionary."""
    slot = getattr(made, name, None)
    if not isinstance(slot, MemberDescriptorType):
        return f"its[{name!r}] = {given}"
    known[f"_put_{name}"] = slot.__set__
    return f"_put_{name}(self, {given})"


def _given(field: dataclasses.Field[Any], known: dict[str, Any]) -> str:
    if field.default_factory is dataclasses.MISSING:
        return field.name
    known[f"_new_{field.name}"] = field.default_factory
    return f"_new_{field.name}() if {field.name} is _made else {field.name}"


def _reader(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """What reads these of an instance, in order."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple([getattr(one, name) for name in names])


def _is_plain(made: Any) -> bool:
    """Whether it is nothing but a slot for each field, and does not look at what it got."""
    slots = (isinstance(getattr(made, name, None), MemberDescriptorType) for name in made.__fields__)
    return made.__bases__ == (object,) and not hasattr(made, "__post_init__") and all(slots)


def _twin(made: Any) -> type:
    """A class of the same slots that may be written to. An instance is made as one and then becomes frozen: putting
    its fields past a class that refuses it takes five times as long."""
    if "__twin__" not in made.__dict__:
        made.__twin__ = type(made.__name__, (), {"__slots__": made.__fields__})
    twin: type = made.__twin__
    return twin


def _first_copy(made: Any) -> Callable[[Any], Any]:
    """What makes of an instance a twin with the same fields; compiled when it is first wanted, as `__init__` is."""

    def copied(one: Any) -> Any:
        known: dict[str, Any] = {"_new": object.__new__, "_twin": _twin(made)}
        lines = ["def copied(one):", " other = _new(_twin)"]
        lines += [f" other.{name} = one.{name}" for name in made.__fields__]
        exec("\n".join([*lines, " return other"]), known)  # noqa: S102 - names of fields alone
        made.__copied__ = staticmethod(known["copied"])
        return made.__copied__(one)

    return copied


# --- what every class shares ------------------------------------------------------------------------------------


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return all(getattr(self, name) == getattr(other, name) for name in self.__compared__)


def _hash(self: Any) -> int:
    return hash(tuple([getattr(self, name) for name in self.__compared__]))


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, value: Any = None) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r}")


def _state(self: Any) -> list[Any]:
    return list(self.__values__(self))


def _put_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__fields__, state, strict=True):
        _set(self, name, value)
