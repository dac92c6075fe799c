"""A set of pictures that are files, of folders with all their subfolders."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import cv2

from sketchcolor_cli.data.pictures import PictureSet, to_bytes
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.worklist import build_worklist
from sketchcolor_cli.imaging.images import on_paper, read_picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


class FolderSet(PictureSet):
    """Picture files; transparency is on white paper, and each subfolder is a group.

    Attributes:
        keys: The place of each file below the folder that was named: ``story/page 1.png``.
        paths: The files.
    """

    def __init__(self, files: Mapping[str, Path], lines: Mapping[str, Path] | None = None) -> None:
        """Take files by place, and line drawings by the place of their picture, for some or all."""
        self.keys = list(files)
        self.paths = list(files.values())
        self.lines = [(lines or {}).get(key) for key in self.keys]

    def place(self, index: int) -> str:
        """See :class:`PictureSet`."""
        return str(self.paths[index])

    def color(self, index: int) -> NDArray[np.uint8]:
        """See :class:`PictureSet`."""
        return to_bytes(on_paper(read_picture(self.paths[index])))

    def line(self, index: int) -> NDArray[np.uint8] | None:
        """See :class:`PictureSet`; coloured lines are taken by their brightness."""
        path = self.lines[index]
        if path is None:
            return None
        gray: NDArray[np.uint8] = cv2.cvtColor(to_bytes(on_paper(read_picture(path))), cv2.COLOR_RGB2GRAY)
        return gray

    def has_line(self, index: int) -> bool:
        """See :class:`PictureSet`."""
        return self.lines[index] is not None

    def about(self, index: int) -> Mapping[str, Any]:
        """See :class:`PictureSet`."""
        folder = PurePosixPath(self.keys[index]).parent.as_posix()
        return {} if folder == "." else {"group": folder}

    def contents(self, index: int) -> Iterator[bytes]:
        """See :class:`PictureSet`."""
        line = self.lines[index]
        yield self.paths[index].read_bytes()
        if line is not None:
            yield line.read_bytes()


def open_folder(inputs: Sequence[Path], *, lines: Path | None = None, apart: Path | None = None) -> FolderSet:
    """Return the pictures of files and folders.

    Args:
        inputs: Files, and folders with all their subfolders.
        lines: A folder with a line drawing of the same place, without ending, for each picture.
        apart: A folder that does not count, such as that of the results.

    Raises:
        DataError: A picture has no line drawing.
        WorklistError: There is no such file or folder, or no picture.
    """
    files = list_files(inputs, apart)
    return FolderSet(files, match_lines(files, lines, apart) if lines else None)


def list_files(inputs: Sequence[Path], apart: Path | None = None) -> dict[str, Path]:
    """Return the picture files of files and folders by their place below what was named.

    Raises:
        WorklistError: There is no such file or folder, or no picture.
    """
    apart = apart or Path(".nowhere")
    return {job.target.relative_to(apart).as_posix(): job.source for job in build_worklist(inputs, apart)}


def match_lines(
    files: Mapping[str, Path], folder: Path, apart: Path | None = None, *, what: str = "sketch"
) -> dict[str, Path]:
    """Return for each picture the file of the same place in another folder, its line drawing as a rule.

    Raises:
        DataError: A picture has none.
    """
    drawn = {without_ending(place): path for place, path in list_files([folder], apart).items()}
    missing = [place for place in files if without_ending(place) not in drawn]
    if missing:
        raise DataError(
            f"{folder}: no {what} of {missing[0]} ({len(missing)} of {len(files)} pictures have none)"
        )
    return {place: drawn[without_ending(place)] for place in files}


def without_ending(place: str) -> str:
    """Return a place without the ending of the file: ``story/page 1``."""
    return PurePosixPath(place).with_suffix("").as_posix()
