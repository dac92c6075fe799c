"""The drawings of WebDataset shards by number, each decoded when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli.errors import DataError, ImageError
from sketchcolor_cli.files.webdataset import Place, directory, read_parts
from sketchcolor_cli.training.loop.data import Drawings
from sketchcolor_cli.training.sources import drawing_of, origin_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sketchcolor_cli.training.pairs.pairs import Drawing


class ShardDrawings(Drawings):
    """What uncompressed tar shards hold, in their order; only the directory is kept in memory.

    Samples are those of ``sources.read_shards``. A drawing whose picture is damaged raises ImageError.

    Raises:
        DataError: a shard is missing, damaged, cut off or no uncompressed tar file; there is no picture.
    """

    def __init__(self, paths: Sequence[Path], short_side: int) -> None:
        self.short_side = short_side
        self.samples: list[tuple[Path, str, dict[str, Place]]] = []
        for path in paths:
            found = directory(path)
            self.samples += [(path, key, parts) for key, parts in found.items() if "color" in parts]
        if not self.samples:
            raise DataError(f"{paths[0]}: no sample KEY.color.EXT in the {len(paths)} shard(s)")

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Drawing:  # type: ignore[override]  # nobody asks for slices
        path, key, places = self.samples[index]
        parts = read_parts(path, {part: places[part] for part in ("color", "line", "json") if part in places})
        drawing = drawing_of(path, key, parts, self.short_side)
        if drawing is None:
            raise ImageError(f"{path}: {key} cannot be decoded; pack it anew")
        return drawing

    def source(self, index: int) -> str:
        """Return the source that the sample's JSON names, without decoding its picture."""
        return self._origin(index)[0]

    def group(self, index: int) -> str:
        """Return the group that the sample's JSON names, without decoding its picture."""
        return self._origin(index)[1]

    def _origin(self, index: int) -> tuple[str, str]:
        path, key, places = self.samples[index]
        parts = read_parts(path, {"json": places["json"]}) if "json" in places else {}
        return origin_of(path, key, parts)
