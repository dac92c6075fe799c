"""A reader of outside bytes: sound inputs, what reads them, and the changes that know their form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuzzing.changes import blind
from sketchcolor_cli.errors import SketchcolorError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from fuzzing.changes import Change

    Seeds = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Reader:
    """What reads one kind of file.

    Attributes:
        seeds: Makes the sound inputs, each an ending and bytes.
        use: Reads a file as the program does, and looks whether what comes of it makes sense.
        changes: Changes that know the kind.
        expected: What may be raised.
    """

    seeds: Callable[[], Seeds]
    use: Callable[[Path], None]
    changes: tuple[Change, ...] = ()
    expected: tuple[type[Exception], ...] = (SketchcolorError,)


def damaged(reader: Reader, seeds: Seeds, chance: random.Random) -> tuple[str, bytes]:
    """Return a damaged input."""
    suffix, data = chance.choice(seeds)
    for _ in range(1 + (chance.random() < 0.4) + (chance.random() < 0.1)):
        knowing = reader.changes and chance.random() < 0.7
        data = (chance.choice(reader.changes) if knowing else blind)(chance, data)
    if chance.random() < 0.03:  # two files in one
        data = data[: chance.randrange(len(data) + 1)] + chance.choice(seeds)[1][chance.randrange(99) :]
    return suffix, data
