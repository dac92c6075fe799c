"""From what the user names as data, folders, files or shards, to drawings by number."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sketchcolor_cli.data.folder import FolderSet
from sketchcolor_cli.data.opening import open_pictures
from sketchcolor_cli.errors import DataError, ImageError, TrainingError
from sketchcolor_cli.training.loop.data import Drawings, DrawingsWithSketches, SetDrawings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.training.loop.data import Sketch
    from sketchcolor_cli.training.pairs.pairs import Drawing
    from sketchcolor_cli.training.settings import TrainSettings

_ROOM = 1.25  # pictures are kept this much larger than the training size, for crops
_MEMORY = 4e9  # bytes of decoded pictures that are kept rather than decoded again
SKIPPED = "skipped.txt"
"""File in the run folder that names the pictures which could not be read, a line each."""


class OpenDrawings(Drawings):
    """The pictures that the user named, by number: broken ones written down, few ones decoded only once."""

    def __init__(self, found: SetDrawings, log: Path, sketch: Sketch | None) -> None:
        self.found, self.log = found, log
        self.drawings: Sequence[Drawing] = found if sketch is None else DrawingsWithSketches(found, sketch)
        self.small = len(found) * found.short_side**2 * 4 <= _MEMORY
        self.kept: list[Drawing | ImageError] | None = None

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, index: int) -> Drawing:  # type: ignore[override]  # nobody asks for slices
        """Return a drawing.

        Raises:
            ImageError: It cannot be read.
        """
        drawing = self._read(index) if self.kept is None else self.kept[index]
        if isinstance(drawing, ImageError):
            raise ImageError(str(drawing))
        return drawing

    def _read(self, index: int) -> Drawing | ImageError:
        """Return a drawing, or why it cannot be read, which is written down."""
        try:
            return self.drawings[index]
        except ImageError as error:
            self._write_down(str(error))
            return error

    def _write_down(self, message: str) -> None:
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            line = " ".join(message.split()) + "\n"
            with self.log.open("a", encoding="utf-8") as file:  # a short write, from any process, stays whole
                file.write(line)
        except OSError as error:
            raise TrainingError(
                f"{self.log}: cannot be written ({error.strerror}); make room there, then use --resume"
            ) from error

    def group(self, index: int) -> str:
        """Return the group of a picture, empty for none, without decoding it."""
        return self.found.group(index)

    def source(self, index: int) -> str:
        """Return where a picture is from, without decoding it."""
        return self.found.source(index)

    def decode(self, report: Callable[[int], None]) -> None:
        """Read all pictures into memory and draw their sketches, if they are few; say how far it is."""
        if not self.small or self.kept is not None:
            return
        kept = []
        for index in range(len(self)):
            kept.append(self._read(index))
            report(index + 1)
        self.kept = kept

    def class_names(self, data: Sequence[str]) -> list[str]:
        """Return the class of each picture: of a tree its first folder below ``data``, of shards its source.

        Raises:
            DataError: a picture is not in a subfolder, or ``data`` is not one folder.
        """
        pictures = self.found.pictures
        if not isinstance(pictures, FolderSet):
            return [pictures.source(index) for index in range(len(pictures))]
        if len(data) != 1:
            raise DataError(f"{data[0]}: the stage vgg needs one folder with a subfolder for each class")
        return name_classes([file.path for file in pictures.files], data[0])


def open_drawings(
    data: Sequence[str], run: Path, config: TrainSettings, sketch: Sketch | None = None
) -> OpenDrawings:
    """Return the pictures that ``data`` names: folders, files, or tar shards; those of ``run`` do not count.

    A folder that holds tar shards stands for these. ``sketch`` draws the lines, if it is given.

    Raises:
        DataError: a shard cannot be read, or sketches are missing.
        WorklistError: there is no such file or folder, or no picture.
    """
    sketches = Path(config.sketches) if config.sketches else None
    pictures = open_pictures(data, sketches=sketches, apart=run)
    found = SetDrawings(pictures, int(max(config.size) * _ROOM))
    return OpenDrawings(found, run / SKIPPED, sketch)


def name_classes(paths: Sequence[Path], folder: str) -> list[str]:
    """Return the class of each picture of an ImageFolder tree: the first folder on its way from ``folder``.

    Raises:
        DataError: a picture is in no subfolder.
    """
    names = []
    for path in paths:
        parts = path.relative_to(folder).parts
        if len(parts) < 2:
            raise DataError(f"{path}: is not in a subfolder of {folder}; a class is a folder of pictures")
        names.append(parts[0])
    return names


def skipped(run: Path) -> list[str]:
    """Return what is said of each picture of a run that could not be read, once each."""
    file = run / SKIPPED
    return list(dict.fromkeys(file.read_text(encoding="utf-8").splitlines())) if file.exists() else []
