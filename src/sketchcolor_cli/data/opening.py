"""From what the user names as data to a set of pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sketchcolor_cli.data.folder import open_folder
from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files import webdataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sketchcolor_cli.data.folder import FolderSet


def open_pictures(
    data: Sequence[str], *, sketches: Path | None = None, apart: Path | None = None
) -> FolderSet | ShardSet:
    """Open folders, files, or shards such as ``train-{000000..000003}.tar``.

    A folder that holds shards stands for these.

    Args:
        data: What the user named.
        sketches: A folder with a line drawing of the same place for each picture of the folders.
        apart: A folder of pictures that does not count, such as that of the results.

    Raises:
        DataError: A shard cannot be read, a sketch is missing, or pictures and shards are mixed.
        WorklistError: There is no such file or folder, or no picture.
    """
    shards = [find_shards(given) for given in data]
    if not any(shards):
        return open_folder([Path(given) for given in data], lines=sketches, apart=apart)
    if not all(shards):
        raise DataError(f"{data[0]}: name either shards or pictures, not both")
    if sketches is not None:
        raise DataError(f"{data[0]}: shards hold their own sketches; leave --sketches out")
    return ShardSet([path for paths in shards for path in paths])


def find_shards(given: str) -> list[Path]:
    """Return the tar shards that one argument names, if it names some.

    Raises:
        DataError: It is a pattern that counts backwards, and so names none.
    """
    if given.endswith(".tar"):
        found = webdataset.expand(given)
        if not found:
            raise DataError(f"{given}: names no shard; write the smaller number first, as in {{000..003}}")
        return found
    # Not Path.is_dir(), which raises for too long a name.
    return sorted(Path(given).glob("*.tar")) if os.path.isdir(given) else []  # noqa: PTH112
