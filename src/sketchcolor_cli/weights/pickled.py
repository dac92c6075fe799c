"""Files of torch.save, read so that nothing in them is run and none takes a long time; imports torch."""

from __future__ import annotations

import pickletools
import zipfile
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LONGEST = 4096  # characters without a space; names in real files have a few dozen
_PICKLES = 5  # that files from before torch 1.6 begin with


def load(path: Path) -> Any:
    """Return the tensors and plain values of a file of torch.save, on the CPU.

    Raises:
        OSError: The file cannot be read.
        ValueError: What is pickled is damaged, or holds a name that is longer than any.
        Exception: What torch raises for files that are damaged or hold something else has no common base.
    """
    import torch

    _refuse_long_words(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _refuse_long_words(path: Path) -> None:
    """Refuse what torch would take long over.

    It looks through the message of an error, in which names of the file stand, by a pattern whose time grows
    with the square of the longest word: 20 kB took six seconds.

    Raises:
        ValueError: There is such a word, or what is pickled is damaged.
    """
    with _opened(path) as file:
        for _ in range(_PICKLES):
            if not file.peek(1):
                return
            if any(_has_long_word(value) for _, value, _ in pickletools.genops(file)):
                raise ValueError("holds a name that is longer than any")


def _has_long_word(value: object) -> bool:
    return isinstance(value, str | bytes) and any(len(word) > _LONGEST for word in value.split())


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """Open what is pickled in a file: a part of an archive, or its beginning."""
    with ExitStack() as stack:
        if zipfile.is_zipfile(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
            name = next((name for name in archive.namelist() if name.endswith("data.pkl")), "data.pkl")
            member: Any = archive.open(name)
            yield stack.enter_context(BufferedReader(member))
        else:
            yield stack.enter_context(path.open("rb"))
