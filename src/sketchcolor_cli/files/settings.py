"""Which of the files are done, and what books become; the only place where these defaults and help stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from sketchcolor_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePath

T = TypeVar("T")


class Container(StrEnum):
    """What a book is written back as."""

    SAME = "same"
    CBZ = "cbz"


@dataclass(frozen=True)
class Shard:
    """One of several equal runs over the same files.

    Attributes:
        number: Which one, from 1.
        count: How many there are.
    """

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, jobs: Sequence[T]) -> list[T]:
        """Return the share of these jobs; shares differ by one job at most."""
        return list(jobs[self.number - 1 :: self.count])

    def has(self, place: PurePath) -> bool:
        """Whether the file at a place is in the share by its name alone, for lists that grow meanwhile."""
        name = place.as_posix().encode(errors="surrogateescape")
        return int.from_bytes(sha256(name).digest()[:8]) % self.count == self.number - 1


def parse_shard(text: str) -> Shard:
    """Read ``2/8``: the second of eight.

    Raises:
        UsageError: It is written otherwise, or the number is not from 1 to the count.
    """
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard {text}: write it as I/N, such as 2/8 for the second of eight shares")
    return Shard(int(found[1]), int(found[2]))


def check_encoding(name: str) -> str:
    """Return the name of an encoding as it was given.

    Raises:
        UsageError: Python knows no such encoding of text.
    """
    try:
        b"a.png".decode(name)
    except (LookupError, UnicodeError, ValueError) as error:
        raise UsageError(
            f"--names {name}: no such encoding; use one like gbk, big5, cp949, cp866, cp932"
        ) from error
    return name
