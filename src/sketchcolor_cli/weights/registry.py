"""All weights that are declared on this computer, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.settings import known_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sketchcolor_cli.weights.spec import WeightFile


@dataclass(frozen=True)
class RegisteredWeights:
    """Weights, and who uses them.

    Attributes:
        file: The weights.
        used_by: The extractors and commands that declare them.
        problem: Why they cannot be got, in one line: two declare different weights by this name. Else None.
    """

    file: WeightFile
    used_by: tuple[str, ...]
    problem: str | None = None


class WeightRegistry:
    """The weights that can be got."""

    def __init__(self, registered: Iterable[tuple[str, WeightFile]]) -> None:
        """Take each user's name with the weights that it declares."""
        found: dict[str, RegisteredWeights] = {}
        for user, file in registered:
            before = found.get(file.name)
            found[file.name] = _joined(before, user, file) if before else RegisteredWeights(file, (user,))
        self.all = [found[name] for name in sorted(found)]
        self._by_name = found

    def names(self) -> list[str]:
        """Return the names of all weights that are declared."""
        return [registered.file.name for registered in self.all]

    def get(self, name: str) -> WeightFile:
        """Return the weights of this name.

        Raises:
            WeightError: There are none, or two of them.
        """
        registered = self._by_name.get(name)
        if registered is None:
            hint = known_names(name, self._by_name)
            raise WeightError(f"{name}: no weights of this name are known; {hint}")
        if registered.problem:
            raise WeightError(f"{name}: {registered.problem}")
        return registered.file

    def users(self, file: WeightFile) -> RegisteredWeights:
        """Return weights with who uses them."""
        return self._by_name[file.name]


def _joined(before: RegisteredWeights, user: str, file: WeightFile) -> RegisteredWeights:
    users = before.used_by if user in before.used_by else (*before.used_by, user)
    same = before.file.to_json() == file.to_json()
    problem = f"{', '.join(users)} declare different weights of this name; uninstall one of the plugins"
    return RegisteredWeights(before.file, users, before.problem if same else problem)
