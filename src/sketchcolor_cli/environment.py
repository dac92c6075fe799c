"""What the environment says: the one place that reads its variables and the platform's folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sketchcolor_cli.compute import memory, threads
from sketchcolor_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platformdirs import PlatformDirs

    from sketchcolor_cli.networks.backend import Backends
    from sketchcolor_cli.networks.registry import ModelShelf
    from sketchcolor_cli.weights.store import WeightStore

WEIGHTS = "SKETCHCOLOR_WEIGHTS"
"""The variable that says where trained weights lie."""

MODELS = "SKETCHCOLOR_MODELS"
"""The variable that says where imported models lie."""

CACHE = "SKETCHCOLOR_CACHE"
"""The variable that says where statistics are kept."""

PROJECTS = "SKETCHCOLOR_PROJECTS"
"""The variable that says where the studio makes projects and remembers those of before."""

CONFIG = "SKETCHCOLOR_CONFIG"
"""The variable that says where the user's settings are."""

_WAITING = "OMP_WAIT_POLICY"
_MULTIPLYING = "OPENBLAS_NUM_THREADS"  # of NumPy and SciPy; read as they are imported


def prepare_process(*, ours: bool = True, small_matrices: bool = False) -> None:
    """Suit threads and memory to going over many pictures; best called before torch is imported.

    Threads that wait for each other sleep. By default they spin, which is as fast where a machine does
    nothing else, and several times as slow where it does: where pages are read and written meanwhile, or
    another program is at work.

    Args:
        ours: Whether the process is; another program's threads keep their heaps.
        small_matrices: Whether NumPy is to multiply in one thread, as suits matrices of a page. Its threads
            spin while they wait for a core, which takes far longer than the product.
    """
    if small_matrices:
        os.environ.setdefault(_MULTIPLYING, "1")
    if "torch" in sys.modules and _WAITING not in os.environ:
        threads.calm()
    os.environ.setdefault(_WAITING, "PASSIVE")  # for torch to come, here or in further processes
    memory.use_again(one_heap=ours)


def weight_store() -> WeightStore:
    """Return the store of trained weights: where SKETCHCOLOR_WEIGHTS says, else in the user's data folder."""
    from sketchcolor_cli.weights.store import WeightStore

    return WeightStore(_path(WEIGHTS, lambda user: user.user_data_path / "weights"))


def model_shelf() -> ModelShelf:
    """Return the models that have a name; SKETCHCOLOR_MODELS says where imported ones lie."""
    from sketchcolor_cli.networks.registry import ModelShelf

    return ModelShelf(_path(MODELS, lambda user: user.user_data_path / "models"))


def model_file(name_or_path: str) -> Path:
    """Return the file of a model, given by its name or path.

    Raises:
        CheckpointError: There is none.
    """
    return model_shelf().find(name_or_path)


def cache_folder() -> Path:
    """Return where what can be made again is kept: where SKETCHCOLOR_CACHE says, or the user's cache."""
    return _path(CACHE, lambda user: user.user_cache_path)


def backends(
    wanted: str, note: Callable[[str], None] = lambda _line: None, *, brief: bool = False
) -> Backends:
    """Return what loads colour networks, as ``--backend`` says; ``brief`` answers may be less exact."""
    from sketchcolor_cli.networks.backend import Backends

    return Backends(cache_folder() / "onnx", wanted, note, brief)


def projects_folder() -> Path:
    """Return where the studio makes projects: where SKETCHCOLOR_PROJECTS says, or the user's data folder."""
    return _path(PROJECTS, lambda user: user.user_data_path / "projects")


def config_file() -> Path:
    """Return where the user's settings are: SKETCHCOLOR_CONFIG, or config.toml in the config folder.

    Raises:
        UsageError: The variable names a file that is not there.
    """
    path = _path(CONFIG, lambda user: user.user_config_path / "config.toml")
    if os.environ.get(CONFIG) and not path.exists():
        raise UsageError(f"{CONFIG}: {path}: there is no such file; correct the variable or remove it")
    return path


def variables() -> Mapping[str, str]:
    """Return the environment variables."""
    return os.environ


def _path(variable: str, usual: Callable[[PlatformDirs], Path]) -> Path:
    """Return the path that a variable names, or the usual one in the user's folders.

    Raises:
        UsageError: It begins with ``~NAME``, and there is no user of this name.
    """
    if chosen := os.environ.get(variable):
        try:
            return Path(chosen).expanduser()
        except RuntimeError as error:
            raise UsageError(f"{variable}: {chosen}: there is no such user; write the whole path") from error
    from platformdirs import PlatformDirs

    return usual(PlatformDirs("sketchcolor", appauthor=False))


def process_ranks() -> tuple[int, int, int]:
    """Return which of how many training processes this is, and which on its machine, as torchrun says it.

    Raises:
        UsageError: A variable of torchrun's is not a whole number.
    """
    return _number("RANK", 0), _number("WORLD_SIZE", 1), _number("LOCAL_RANK", 0)


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, str(default))
    try:
        return int(text)
    except ValueError as error:
        raise UsageError(
            f"{variable}: {text}: must be a whole number; unset it where torchrun did not set it"
        ) from error
