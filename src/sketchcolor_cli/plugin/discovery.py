"""Finding the extractors that installed distributions offer.

Ours come in by the same door as everyone's: entry points of the group ``sketchcolor.extractors``. A plugin
that does not work is set aside with the reason, and the others work.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, cast

import pluggy

from sketchcolor_cli.errors import PluginError, UsageError
from sketchcolor_cli.plugin import hooks as hookspecs
from sketchcolor_cli.plugin.contract import Extractor
from sketchcolor_cli.plugin.parameters import parse_parameters
from sketchcolor_cli.settings import known_names
from sketchcolor_cli.weights.builtin import BUILTIN
from sketchcolor_cli.weights.registry import WeightRegistry
from sketchcolor_cli.weights.spec import WeightFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GROUP = "sketchcolor.extractors"


@dataclass(frozen=True)
class Listing:
    """One extractor that was found, or one plugin that does not work.

    Attributes:
        name: The extractor's name, or the entry point's where the plugin does not work.
        distribution: The name of the distribution that it comes from.
        version: That distribution's version.
        extractor: What the plugin declared; None where it does not work.
        problem: Why it cannot be used, in one line; None where it can.
    """

    name: str
    distribution: str
    version: str
    extractor: Extractor | None = None
    problem: str | None = None

    @property
    def ready(self) -> bool:
        """Whether it can be used."""
        return self.problem is None

    @property
    def origin(self) -> str:
        """The distribution and its version, as shown to users."""
        return f"{self.distribution} {self.version}"

    def to_json(self, missing_weights: Iterable[str] = ()) -> dict[str, Any]:
        """Return the listing in plain types for json.dumps; where weights are missing, it is not ready."""
        missing = list(missing_weights)
        declared = self.extractor
        return {
            "name": self.name,
            "summary": declared.summary if declared else "",
            "distribution": self.distribution,
            "version": self.version,
            "parameters": [asdict(parameter) for parameter in declared.parameters] if declared else [],
            "weights": [weight.to_json() for weight in declared.weights] if declared else [],
            "missing_weights": missing,
            "ready": self.ready and not missing,
            "problem": self.problem,
        }


class Extractors:
    """The extractors of one run, by name."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        """Take what was found; a name found twice is marked as a problem."""
        self.listings = [_with_clash(listing, listings) for listing in listings]

    def names(self) -> list[str]:
        """Return the names that can be used, in alphabetical order."""
        return sorted(listing.name for listing in self.listings if listing.ready)

    def get(self, name: str) -> Extractor:
        """Return the extractor of this name.

        Raises:
            PluginError: There is none, its plugin does not work, or two distributions give one.
        """
        same = [listing for listing in self.listings if listing.name == name]
        for listing in same:
            if listing.extractor and listing.ready:
                return listing.extractor
        if same:
            raise PluginError(f"{name}: {same[0].problem}")
        hint = known_names(name, self.names())
        raise PluginError(f"{name}: no extractor of this name is installed; {hint}")

    def registry(self) -> WeightRegistry:
        """Return all weights that are known: those of the extractors, and the program's own."""
        own = ((f"sketchcolor {command}", file) for command, files in BUILTIN.items() for file in files)
        theirs = (
            (listing.name, file)
            for listing in self.listings
            if listing.extractor
            for file in listing.extractor.weights
        )
        return WeightRegistry([*own, *theirs])

    def weights(self, name: str, settings: Iterable[str] = ()) -> list[WeightFile]:
        """Return the weights that an extractor and those that it is made of will ask for.

        Args:
            name: The extractor's name.
            settings: The user's parameters, each ``name=value``.

        Raises:
            PluginError: It, or one that it is made of, cannot be used.
            UsageError: A parameter is unknown or its value makes no sense.
        """
        return list(dict.fromkeys(self._needs(name, settings, ())))

    def weights_named(self, name: str) -> list[WeightFile]:
        """Return the weights of this name, or all that the extractor of this name needs.

        Raises:
            WeightError: There is neither, or two plugins declare different weights of one name.
            PluginError: The extractor, or one that it is made of, cannot be used.
        """
        registry = self.registry()
        if name in registry.names() or name not in self.names():
            return [registry.get(name)]
        return [registry.get(file.name) for file in self.weights(name)]

    def _needs(self, name: str, settings: Iterable[str], within: tuple[str, ...]) -> Iterator[WeightFile]:
        if name in within:  # loading will say so
            return
        extractor = self.get(name)
        values = parse_parameters(extractor.name, extractor.parameters, settings)
        needs: Iterable[WeightFile | str]
        try:
            needs = extractor.needs(values) if extractor.needs else (*extractor.weights, *extractor.parts)
            needs = tuple(needs)  # a generator raises here
        except ValueError as error:
            raise UsageError(f"{name}: {error}") from error
        except SystemExit as error:
            raise PluginError(f"{name}: ends the program (sys.exit); tell its authors") from error
        for need in needs:
            if isinstance(need, WeightFile):
                yield need
            else:
                yield from self._needs(need, (), (*within, name))


def find_extractors() -> Extractors:
    """Load the plugins of all installed distributions and ask each for its extractors; imports no torch.

    They are looked for once, as long as Python looks for modules in the same places.
    """
    return _found_in(tuple(sys.path))


@cache
def _found_in(_places: tuple[str, ...]) -> Extractors:
    origin_of = cache(_origin)  # what is read anew each time
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    listings: list[Listing] = []
    for entry in metadata.entry_points(group=GROUP):
        origin = origin_of(entry.dist)
        try:
            found = _ask(manager, entry)
        except (Exception, SystemExit) as error:  # a stranger's code must not take the others down
            problem = f"the plugin of {' '.join(origin)} does not work: {_first_line(error)}"
            listings.append(Listing(entry.name, *origin, problem=problem))
        else:
            listings.extend(Listing(extractor.name, *origin, extractor) for extractor in found)
    return Extractors(sorted(listings, key=lambda listing: (listing.name, listing.distribution)))


def _origin(distribution: metadata.Distribution | None) -> tuple[str, str]:
    """Return name and version of a distribution."""
    if distribution is None:
        return "unknown", ""
    about = distribution.metadata
    return about["Name"], about["Version"]


def _ask(manager: pluggy.PluginManager, entry: metadata.EntryPoint) -> list[Extractor]:
    """Load one plugin and return its extractors."""
    plugin = entry.load()
    manager.register(plugin)
    try:
        manager.check_pending()  # a hook that we do not know is a misspelt one
    except Exception:
        manager.unregister(plugin)  # else the next plugin's check finds this one again
        raise
    hooks = [hook for hook in manager.hook.sketchcolor_extractors.get_hookimpls() if hook.plugin is plugin]
    if not hooks:
        raise PluginError("it has no function sketchcolor_extractors marked with @hookimpl")
    found: list[Any] = [item for hook in hooks for item in cast("Iterable[Any]", hook.function())]
    for item in found:
        if not isinstance(item, Extractor):
            raise PluginError(f"sketchcolor_extractors gave {item!r}, which is not an Extractor")
    return found


def _with_clash(listing: Listing, listings: Sequence[Listing]) -> Listing:
    same = [other.origin for other in listings if other.extractor and other.name == listing.name]
    if listing.extractor is None or len(same) == 1:
        return listing
    problem = f"{' and '.join(same)} each give an extractor of this name; uninstall all but one"
    return replace(listing, problem=problem)


def _first_line(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "it ends the program (sys.exit)"
    line = next(iter(str(error).splitlines()), "")
    if isinstance(error, PluginError):
        return line
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
