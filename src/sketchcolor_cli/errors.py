"""Every error a user can cause, as one tree.

    SketchcolorError            one clear line on stderr, exit code 1
    ├── UsageError              an option or argument makes no sense, exit code 2
    ├── ImageError              a file is not a picture we can read, or cannot be written
    │   ├── DiskFullError       there is no room for it, nor for any other
    │   └── SeveralPicturesError  a file holds several where one is wanted: an animation, pages of a TIFF
    ├── BookError               a CBZ, PDF … cannot be read or written, or is not to be trusted
    ├── WorklistError           nothing to do, or two results would land on one file
    ├── PluginError             an extractor is unknown, doubled, or breaks the contract
    ├── WeightError             trained weights are missing, damaged, or cannot be had
    │   ├── MissingWeightsError they are not on this computer, but can be got
    │   └── UnavailableError    one place does not give them; another may
    ├── CheckpointError         a model file is damaged, foreign, or newer than this program
    ├── DeviceError             the asked-for device is not there
    ├── DataError               data to train or measure on is missing or does not fit together
    ├── TimeLimitError          a page takes longer than it may
    │   └── SlowBookError       so does reading it from its book; also a BookError
    ├── WorkerError             workers on a cluster are lost again and again
    ├── OutputError             standard output is closed, or nobody reads it any more
    └── TrainingError           a training run cannot go on (NaN, another configuration)

Anything that is not in this tree is a bug of ours and keeps its traceback.
"""

import errno
from typing import Any

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The system's numbers for a full disk and a full quota."""


class SketchcolorError(Exception):
    """Base of every expected error; its text says which file, what is wrong, and what to do."""

    exit_code = 1


class UsageError(SketchcolorError):
    """An option or argument makes no sense."""

    exit_code = 2


class ImageError(SketchcolorError):
    """A file is not a picture we can read, or a picture cannot be written."""


class DiskFullError(ImageError):
    """There is no room for a picture, nor for any other; a run over many ends."""


class SeveralPicturesError(ImageError):
    """A file holds several pictures where one is wanted: an animation, or the pages of a TIFF."""


class BookError(SketchcolorError):
    """A book (CBZ, PDF …) cannot be read or written, or asks for what no honest book does."""


class WorklistError(SketchcolorError):
    """There is nothing to do, or two results would land on one file."""


class PluginError(SketchcolorError):
    """An extractor is unknown, doubled, or breaks the contract."""


class WeightError(SketchcolorError):
    """Trained weights are missing, damaged, or cannot be had."""


class MissingWeightsError(WeightError):
    """Trained weights are not on this computer, or are damaged there.

    Attributes:
        files: What is missing, each a ``weights.spec.WeightFile``.
    """

    def __init__(self, message: str, files: tuple[Any, ...]) -> None:
        super().__init__(message)
        self.files = files


class UnavailableError(WeightError):
    """A place does not give a file of weights; the text says why in a few words."""


class CheckpointError(SketchcolorError):
    """A model file is damaged, foreign, or newer than this program."""


class DeviceError(SketchcolorError):
    """The device that was asked for is not there."""


class DataError(SketchcolorError):
    """Data to train or measure on is missing or does not fit together."""


class TimeLimitError(SketchcolorError):
    """A page takes longer than it may, or is no longer wanted."""


class SlowBookError(BookError, TimeLimitError):
    """Reading a page from its book takes longer than it may."""


class WorkerError(SketchcolorError):
    """Workers on a cluster are lost again and again."""


class OutputError(SketchcolorError):
    """What was asked for cannot be printed: standard output is closed, or nobody reads it any more."""


class TrainingError(SketchcolorError):
    """A training run cannot go on."""
