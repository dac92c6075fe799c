"""From what the user names as data, folders, files or shards, to drawings by number."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import DataError, ImageError, TrainingError
from sketchcolor_cli.files import webdataset
from sketchcolor_cli.files.worklist import build_worklist
from sketchcolor_cli.training.loop.data import Drawings, FolderDrawings, Sketched
from sketchcolor_cli.training.shards import ShardDrawings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.training.loop.data import Sketch
    from sketchcolor_cli.training.pairs.pairs import Drawing
    from sketchcolor_cli.training.settings import TrainConfig

_ROOM = 1.25  # pictures are kept this much larger than the training size, for crops
_MEMORY = 4e9  # bytes of decoded pictures that are kept rather than decoded anew
SKIPPED = "skipped.txt"
"""File in the run folder that names the pictures which could not be read, a line each."""


class Opened(Drawings):
    """The pictures that the user named, by number: broken ones passed over, few ones decoded only once."""

    def __init__(self, found: ShardDrawings | FolderDrawings, log: Path, sketch: Sketch | None) -> None:
        self.found = found
        self.drawings: Sequence[Drawing] = Tolerant(found, log)
        if sketch is not None:
            self.drawings = Sketched(self.drawings, sketch)
        self.small = len(found) * found.short_side**2 * 4 <= _MEMORY
        self.kept: list[Drawing] | None = None

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, index: int) -> Drawing:  # type: ignore[override]  # nobody asks for slices
        return self.drawings[index] if self.kept is None else self.kept[index]

    def group(self, index: int) -> str:
        """Return the group of a picture, empty for none, without decoding it."""
        return self.found.group(index)

    def decode(self, report: Callable[[int], None]) -> None:
        """Read all pictures into memory and draw their sketches, if they are few; say how far it is."""
        if not self.small or self.kept is not None:
            return
        kept = []
        for index in range(len(self)):
            kept.append(self.drawings[index])
            report(index + 1)
        self.kept = kept

    def class_names(self, data: Sequence[str]) -> list[str]:
        """Return the class of each picture: of a tree its first folder below ``data``, of shards its source.

        Raises:
            DataError: a picture is in no subfolder, or ``data`` is no one folder.
        """
        if isinstance(self.found, ShardDrawings):
            return [self.found.source(index) for index in range(len(self))]
        if len(data) != 1:
            raise DataError(f"{data[0]}: the stage vgg needs one folder with a subfolder for each class")
        return name_classes(self.found.paths, data[0])


def open_drawings(
    data: Sequence[str], run: Path, config: TrainConfig, sketch: Sketch | None = None
) -> Opened:
    """Return the pictures that ``data`` names: folders, files, or tar shards; those of ``run`` do not count.

    A folder that holds tar shards stands for these. ``sketch`` draws the lines, if it is given.

    Raises:
        DataError: a shard cannot be read, or sketches are missing.
        WorklistError: there is no such file or folder, or no picture.
    """
    short_side = int(max(config.size) * _ROOM)
    shards = [expand(given) for given in data]
    if any(shards):
        if not all(shards):
            raise DataError(f"{data[0]}: name either shards or pictures, not both")
        if config.sketches:
            raise DataError(f"{data[0]}: shards bring their own sketches; leave out --sketches")
        tars = [path for paths in shards for path in paths]
        return Opened(ShardDrawings(tars, short_side), run / SKIPPED, sketch)
    pictures = _by_place(data, run)
    sketches = _matching(pictures, config.sketches, run) if config.sketches else None
    return Opened(FolderDrawings(list(pictures.values()), short_side, sketches), run / SKIPPED, sketch)


def name_classes(paths: Sequence[Path], folder: str) -> list[str]:
    """Return the class of each picture of an ImageFolder tree: the first folder on its way from ``folder``.

    Raises:
        DataError: a picture is in no subfolder.
    """
    names = []
    for path in paths:
        parts = path.relative_to(folder).parts
        if len(parts) < 2:
            raise DataError(f"{path}: is in no subfolder of {folder}; a class is a folder of pictures")
        names.append(parts[0])
    return names


class Tolerant(Drawings):
    """The drawings of another sequence; one that cannot be read is written down, and the next taken instead.

    Which is taken depends on the files alone, so a run can still be repeated.
    """

    def __init__(self, drawings: Sequence[Drawing], log: Path) -> None:
        self.drawings, self.log = drawings, log

    def __len__(self) -> int:
        return len(self.drawings)

    def __getitem__(self, index: int) -> Drawing:  # type: ignore[override]  # nobody asks for slices
        for further in range(len(self)):
            try:
                return self.drawings[(index + further) % len(self)]
            except ImageError as error:
                self._write_down(str(error))
        raise DataError(f"none of the {len(self)} pictures can be read; {self.log} says why")

    def _write_down(self, message: str) -> None:
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open(
                "a", encoding="utf-8"
            ) as file:  # one short write, from any process, stays whole
                file.write(" ".join(message.split()) + "\n")
        except OSError as error:
            raise TrainingError(
                f"{self.log}: cannot be written ({error.strerror}); make room there, then use --resume"
            ) from error


def skipped(run: Path) -> list[str]:
    """Return what is said of each picture of a run that could not be read, once each."""
    file = run / SKIPPED
    return list(dict.fromkeys(file.read_text(encoding="utf-8").splitlines())) if file.exists() else []


def expand(given: str) -> list[Path]:
    """Return the tar files that one argument names, if it names some."""
    if given.endswith(".tar"):
        return webdataset.expand(given)
    if Path(given).is_dir():
        return sorted(Path(given).glob("*.tar"))
    return []


def _by_place(data: Sequence[str], run: Path) -> dict[Path, Path]:
    """Return the pictures by their place below what was named; those of ``run`` do not count."""
    worklist = build_worklist([Path(given) for given in data], run)
    return {job.target.relative_to(run): job.source for job in worklist}


def _matching(pictures: dict[Path, Path], sketches: str, run: Path) -> list[Path]:
    found = {place.with_suffix(""): path for place, path in _by_place([sketches], run).items()}
    missing = [path for place, path in pictures.items() if place.with_suffix("") not in found]
    if missing:
        raise DataError(
            f"{missing[0]}: no sketch of this name in {sketches} ({len(missing)} pictures have none)"
        )
    return [found[place.with_suffix("")] for place in pictures]
