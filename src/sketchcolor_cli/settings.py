"""Settings: a field of a frozen dataclass is the one home of a setting's type, default, bounds and help.

    @dataclass(frozen=True)
    class ColorSettings(Settings):
        seed: int = setting(3, "Seed of the random colours.", least=0)

    @dataclass(frozen=True)
    class ColorizeRequest(Settings):
        inputs: tuple[Path, ...] = argument("Pictures, books, or folders.")
        color: ColorSettings = part(ColorSettings, "Colours")

Everything else is derived from the fields: the check on construction, the options of a command
(``cli.request``), the keys of TOML files, environment variables, and the reference pages of the docs.
"""

from __future__ import annotations

import difflib
import errno
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from functools import cache
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sketchcolor_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from dataclasses import Field

S = TypeVar("S", bound="Settings")

REQUIRED: Any = MISSING
"""The default of a setting that must be given."""

_KEY = "sketchcolor"  # of our entry in a field's metadata
_LONGEST_SAID = 300  # characters of a value in a message
_FARTHEST = 2**63 - 1  # what is larger is not a value of anything, and more than libraries can count
_KINDS: Mapping[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    Path: "a path",
}


@dataclass(frozen=True)
class Setting:
    """What is known of one setting, or of a part that holds several, beside its type and default.

    Attributes:
        help: One or two sentences for people.
        name: Name of the option and the TOML key, where it is not the field's: ``sheet`` for ``sheets``.
        short: Short form of the option, such as ``-o``.
        metavar: What stands for the value in help.
        shown: What help says of the default, where the value does not say it.
        least, above, most, below: Bounds of a number, and of each number of several.
        choices: The only values; those of an Enum are known from its type.
        words: Words that stand for values of their own, which may lie outside the bounds: ``native`` for 0.
        complete: Name of a list that completes the value: methods, models, presets, weights, palettes.
        parse: Reads the value from the command line or the environment.
        positional: Whether it is an argument of the command, not an option.
        stored: Whether files and the environment may set it, too.
        matters: Whether results depend on it; what does not is left out of fingerprints.
        internal: Whether only the library sets it.
        panel: Heading of a part's options in help.
    """

    help: str
    name: str = ""
    short: str = ""
    metavar: str = ""
    shown: str | None = None
    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    words: Mapping[str, Any] | None = None
    complete: str = ""
    parse: Callable[[str], Any] | None = None
    positional: bool = False
    stored: bool = True
    matters: bool = True
    internal: bool = False
    panel: str | None = None

    def rule(self, kind: str = "") -> str:
        """Return the bounds as words: ``at least 1 and below 5``; with a kind, ``a number, at least 1``."""
        bounds = ", ".join(filter(None, [kind, self._bounds()]))
        return " or ".join(filter(None, [*(self.words or {}), bounds]))

    def _bounds(self) -> str:
        words = (
            ("at least", self.least),
            ("above", self.above),
            ("at most", self.most),
            ("below", self.below),
        )
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.least is not None and self.most is not None:
            return f"from {self.least:g} to {self.most:g}"
        return " and ".join(f"{word} {bound:g}" for word, bound in words if bound is not None)

    def allows(self, value: Any) -> bool:
        """Whether a value keeps to the bounds and choices."""
        if self.words and value in self.words.values():
            return True
        if self.choices:
            return str(value) in self.choices
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        return (
            -_FARTHEST <= value <= _FARTHEST
            and (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
        )


def setting(default: Any, help: str, **about: Any) -> Any:  # noqa: A002  (the word that every CLI library uses)
    """Return a dataclass field that is a setting; see :class:`Setting` for ``about``.

    Args:
        default: Its value when nobody sets it; ``REQUIRED`` for none. A function is called for each object.
        help: One or two sentences for people.
        about: The other attributes of :class:`Setting`.
    """
    metadata = {_KEY: Setting(help, **about)}
    if callable(default) and not isinstance(default, type):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def argument(help: str, *, default: Any = REQUIRED, **about: Any) -> Any:  # noqa: A002
    """Return a field that is a positional argument of the command, required unless it has a default."""
    return setting(default, help, positional=True, stored=False, **about)


def internal(default: Any, help: str, **about: Any) -> Any:  # noqa: A002
    """Return a field that only the library sets: it has a check and a sentence, but no option or key."""
    return setting(default, help, internal=True, **about)


def part(kind: type[Settings], panel: str | None = None) -> Any:
    """Return a field that holds other settings; ``panel`` heads their options in help."""
    return field(default_factory=kind, metadata={_KEY: Setting(kind.__doc__ or "", panel=panel)})


@dataclass(frozen=True)
class Leaf:
    """One setting of a request, however deep it lies.

    Attributes:
        path: The fields that lead to it, the last one its own.
        kind: The type of its value, or of each of several, without None.
        many: Whether it is a tuple of values.
        default: Its default, or ``REQUIRED``.
        about: What else is known.
        panel: Heading of its options.
    """

    path: tuple[str, ...]
    kind: type
    many: bool
    default: Any
    about: Setting
    panel: str | None

    @property
    def name(self) -> str:
        """Its name in Python: ``work_size``; ``from_``, where Python keeps the word to itself."""
        name = (self.about.name or self.path[-1]).replace("-", "_")
        return f"{name}_" if iskeyword(name) else name

    @property
    def key(self) -> str:
        """Its name in TOML files: ``work-size``."""
        return self.name.rstrip("_").replace("_", "-")

    @property
    def field(self) -> str:
        """The name of its field, as a key: ``sheets`` where the option is ``--sheet``."""
        return self.path[-1].replace("_", "-")

    @property
    def option(self) -> str:
        """How the command line, and every message, names it: ``--work-size``."""
        return self.key.upper() if self.about.positional else f"--{self.key}"

    def read(self, text: str) -> Any:
        """Return the value that a text on the command line or in the environment stands for.

        Raises:
            UsageError: It stands for none.
        """
        if self.about.parse is not None:
            return self.about.parse(text)
        if self.many:
            return tuple(self._read_one(piece.strip()) for piece in text.split(",") if piece.strip())
        return self._read_one(text)

    def _read_one(self, text: str) -> Any:
        if self.about.words and text.lower() in self.about.words:
            return self.about.words[text.lower()]
        if self.kind is bool:
            if text.lower() in ("1", "true", "yes", "on"):
                return True
            if text.lower() in ("0", "false", "no", "off", ""):
                return False
            raise UsageError(f"{self.option} {text}: must be true or false")
        try:
            value = self.kind(text)
        except ValueError as error:
            raise self._refusal(text, mistyped=True) from error
        if self.about.words and value in self.about.words.values():  # which has a word
            raise self._refusal(text)
        return value

    def accept(self, value: Any, folder: Path | None = None) -> Any:
        """Return what a value of a TOML file stands for; paths are meant from ``folder`` on.

        Raises:
            UsageError: It is of another type.
        """
        if self.about.parse is not None and isinstance(value, str):
            return self.about.parse(value)
        if self.many:
            values = value if isinstance(value, list | tuple) else [value]
            return tuple(self._accept_value(item, folder) for item in values)
        return self._accept_value(value, folder)

    def _accept_value(self, value: Any, folder: Path | None) -> Any:
        if self.about.words and isinstance(value, str):
            return self._read_one(value)
        if self.kind is Path and isinstance(value, str):
            return self._accept_path(value, folder)
        if issubclass(self.kind, Enum) and isinstance(value, str):
            return self._read_one(value)
        if self.kind is float and isinstance(value, int) and abs(value) <= _FARTHEST:
            value = value if isinstance(value, bool) else float(value)
        is_switch = isinstance(value, bool) and self.kind is not bool
        if is_switch or (self.kind in _KINDS and not isinstance(value, self.kind)):
            raise self._refusal(repr(value), mistyped=True)
        return value

    def _accept_path(self, value: str, folder: Path | None) -> Path:
        try:
            path = Path(value).expanduser()
        except RuntimeError as error:
            raise UsageError(f"{self.option} {value}: there is no such user; write the whole path") from error
        return folder / path if folder is not None else path

    @property
    def choices(self) -> tuple[str, ...]:
        """The only values; empty where others are allowed."""
        if issubclass(self.kind, Enum):
            return tuple(str(member.value) for member in self.kind)
        return self.about.choices

    def _is_mistyped(self, value: Any) -> bool:
        """Whether a value is of another type; a whole number is a number, too."""
        expected = (int, float) if self.kind is float else self.kind
        return self.kind in _KINDS and (
            not isinstance(value, expected) or (isinstance(value, bool) and self.kind is not bool)
        )

    def _refusal(self, text: str, *, mistyped: bool = False) -> UsageError:
        """Return the error that a value is none, with what was probably meant."""
        words = (*self.choices, *(self.about.words or ()))
        wanted = self.wanted(mistyped=mistyped)
        return UsageError(f"{self.option} {_short(text)}: must be {wanted}{nearest(text, words)}")

    def wanted(self, *, mistyped: bool = False) -> str:
        """Return what the value must be, as words; where it is of another type, also of which."""
        if mistyped and self.kind in (int, float) and not self.choices:
            return self.about.rule(_KINDS[self.kind])
        if issubclass(self.kind, Enum):
            return f"one of {', '.join(self.choices)}"
        if issubclass(self.kind, Mapping):
            return "a table"
        return self.about.rule() or _KINDS.get(self.kind, self.kind.__name__)

    def check(self, value: Any) -> None:
        """Refuse a value that is out of bounds or of another type.

        Raises:
            UsageError: It is; the message names the option.
        """
        if value is None or value is REQUIRED:
            return
        for item in value if self.many else (value,):
            mistyped = self._is_mistyped(item)
            if isinstance(item, Path):
                self._check_path(item)
            if (
                mistyped
                or not self.about.allows(item)
                or (issubclass(self.kind, Enum) and not isinstance(item, self.kind))
            ):
                raise self._refusal(str(item), mistyped=mistyped)

    def _check_path(self, path: Path) -> None:
        """Refuse what the system takes for no name at all; whether there is such a file is not asked."""
        try:
            path.lstat()
        except ValueError as error:
            raise UsageError(f"{self.option} {path}: not a file name") from error
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise UsageError(
                    f"{self.option} {path}: the name is too long; choose a shorter one"
                ) from error


@dataclass(frozen=True)
class Settings:
    """Base of everything that is a group of settings; a value out of its bounds cannot be constructed."""

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            UsageError: One is out of its bounds; the message names its option.
        """
        for leaf in _own(type(self)):
            leaf.check(getattr(self, leaf.path[0]))

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Return the settings of these values, by the names of their options: ``ColorizeRequest.of(seed=5)``.

        Raises:
            UsageError: A name is unknown, a value out of its bounds, or one is missing.
        """
        known = {leaf.name: leaf for leaf in leaves(cls)}
        for name in values:
            if name not in known:
                raise UsageError(f"{name}: unknown setting{nearest(name, known)}")
        return cls.resolve({name: known[name].accept(value) for name, value in values.items()})

    @classmethod
    def resolve(cls, given: Mapping[str, Any], stored: Mapping[str, Any] | None = None) -> Self:
        """Return the settings of values by name; what is given takes precedence over what is stored.

        A request that reads a file of settings of its own, such as a series, puts it in between.
        """
        return build(cls, {**(stored or {}), **given})

    def values(self) -> dict[str, Any]:
        """Return the value of each setting, by name."""
        return {leaf.name: value for leaf, value in _walk(self)}

    def decisive(self) -> dict[str, Any]:
        """Return the values that results depend on, by name, for fingerprints."""
        return {leaf.name: value for leaf, value in _walk(self) if leaf.about.matters}


def leaves(kind: type[Settings]) -> tuple[Leaf, ...]:
    """Return all settings of a class and of its parts, in their order."""
    about: Any = kind
    found: tuple[Leaf, ...] = _known_leaves(about)
    return found


def build(kind: type[S], values: Mapping[str, Any]) -> S:
    """Return the settings whose values are given by name; the others have their defaults.

    Raises:
        UsageError: One is out of its bounds, or missing.
    """
    return _build(kind, (), {leaf.path: values[leaf.name] for leaf in leaves(kind) if leaf.name in values})


def from_table(
    kind: type[Settings],
    table: Mapping[str, Any],
    folder: Path | None = None,
) -> dict[str, Any]:
    """Return the values that a TOML table sets, by name.

    Args:
        kind: The settings that it may set.
        table: Keys with hyphens or underscores.
        folder: Where relative paths begin.

    Raises:
        UsageError: A key is unknown, two set the same, or a value is of another type or out of its bounds.
    """
    stored = [leaf for leaf in leaves(kind) if leaf.about.stored and not leaf.about.internal]
    known = {leaf.key: leaf for leaf in stored}
    fields_too = {leaf.field: leaf for leaf in stored} | known  # several sheets may be "sheets", too
    values: dict[str, Any] = {}
    for key, value in table.items():
        leaf = fields_too.get(key.replace("_", "-"))
        if leaf is None:
            raise UsageError(
                f"unknown key {key}{nearest(key, known)}; valid keys: {', '.join(sorted(known))}"
            )
        if leaf.name in values:
            raise UsageError(f"{key}: sets {leaf.key} a second time; keep one of the two")
        values[leaf.name] = leaf.accept(value, folder)
        leaf.check(values[leaf.name])
    return values


def as_toml(value: Any) -> str:
    """Return a value as it stands in a TOML file; paths as texts, tables in one line."""
    import json

    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items()) + " }"
    # What JSON writes for texts, finite numbers, truth values and lists is TOML, but for one more escape.
    return json.dumps(value, ensure_ascii=False, default=str).replace("\x7f", "\\u007f")


def from_environment(
    kind: type[Settings], environ: Mapping[str, str], prefixes: tuple[str, ...]
) -> dict[str, Any]:
    """Return the values that variables such as ``PREFIX_WORK_SIZE`` set, by name; the first prefix wins.

    Raises:
        UsageError: A value makes no sense; the message names the variable.
    """
    values = {}
    for leaf in leaves(kind):
        if not leaf.about.stored or leaf.about.internal:
            continue
        for prefix in prefixes:
            variable = f"{prefix}_{leaf.name.upper()}"
            if text := environ.get(variable):
                try:
                    values[leaf.name] = leaf.read(text)
                    leaf.check(values[leaf.name])
                except UsageError as error:
                    raise UsageError(f"{variable}: {error}") from error
                break
    return values


def _leaves(kind: type, above: tuple[str, ...], panel: str | None) -> Iterator[Leaf]:
    hints = typing.get_type_hints(kind)
    for field_ in fields(kind):
        about = field_.metadata.get(_KEY)
        if about is None:
            raise TypeError(f"{kind.__name__}.{field_.name}: use setting(), argument(), internal() or part()")
        path = (*above, field_.name)
        inner = hints[field_.name]
        if isinstance(inner, type) and issubclass(inner, Settings):
            yield from _leaves(inner, path, about.panel or panel)
            continue
        value, many = _value_type(inner)
        yield Leaf(path, value, many, _default(field_), about, about.panel or panel)


@cache
def _known_leaves(kind: Any) -> tuple[Leaf, ...]:
    return tuple(_leaves(kind, (), None))


def _own(kind: type[Settings]) -> tuple[Leaf, ...]:
    """Return the settings that are fields of the class itself."""
    return tuple(leaf for leaf in leaves(kind) if len(leaf.path) == 1)


def _value_type(hint: Any) -> tuple[type, bool]:
    """Return the type of a setting's value, or of each of several, and whether there may be several."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = next(choice for choice in typing.get_args(hint) if choice is not type(None))
    origin = typing.get_origin(hint)
    if origin is tuple:
        return typing.get_args(hint)[0], True
    return (origin or hint), False


def _default(field_: Field[Any]) -> Any:
    return field_.default if field_.default_factory is MISSING else field_.default_factory()


def _build(kind: type[S], above: tuple[str, ...], values: Mapping[tuple[str, ...], Any]) -> S:
    hints = typing.get_type_hints(kind)
    given = {}
    for field_ in fields(kind):
        path = (*above, field_.name)
        inner = hints[field_.name]
        if isinstance(inner, type) and issubclass(inner, Settings):
            given[field_.name] = _build(inner, path, values)
        elif path in values:
            given[field_.name] = values[path]
        elif field_.default is MISSING and field_.default_factory is MISSING:
            missing = next(leaf for leaf in _own(kind) if leaf.path[0] == field_.name)
            raise UsageError(f"{missing.option} is missing")
    return kind(**given)


def _walk(settings: Settings) -> Iterator[tuple[Leaf, Any]]:
    for leaf in leaves(type(settings)):
        value: Any = settings
        for name in leaf.path:
            value = getattr(value, name)
        yield leaf, value


def _short(text: str) -> str:
    """Return a value as it stands in a message; numbers in a file may have thousands of digits."""
    return text if len(text) <= _LONGEST_SAID else f"{text[:_LONGEST_SAID]}..."


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a question that names what was probably meant, or nothing."""
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def known_names(name: str, known: Iterable[str], most: int = 3) -> str:
    """Return which names may be meant, at most so many, or which there are."""
    known = list(known)
    near = difflib.get_close_matches(name, known, most)
    return f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known) or 'none'}"
