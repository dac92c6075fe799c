"""What the environment says: the one place that reads its variables and the platform's folders."""

from __future__ import annotations

import ctypes
import os
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.networks.registry import ModelShelf
from sketchcolor_cli.settings import from_table, leaves
from sketchcolor_cli.weights.store import WeightStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sketchcolor_cli.settings import Settings

WEIGHTS = "SKETCHCOLOR_WEIGHTS"
"""The variable that says where trained weights lie."""

MODELS = "SKETCHCOLOR_MODELS"
"""The variable that says where imported models lie."""

CACHE = "SKETCHCOLOR_CACHE"
"""The variable that says where statistics are kept."""

# Of glibc's mallopt. Arrays as large as a page's planes are taken from memory that was used before instead of
# fresh from the system, which has to clear it; one heap for all threads, or each would keep its own.
_MALLOC = {-3: 2**26, -1: 2**29, -8: 1}  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_ARENA_MAX


def prepare_process() -> None:
    """Suit threads and memory to going over many pictures; to be called before torch is imported.

    Threads that wait for each other sleep. By default they spin, which is as fast where a machine does
    nothing else, and several times as slow where it does: where pages are read and written meanwhile, or
    another program is at work.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        for option, value in _MALLOC.items():
            mallopt(option, value)


def weight_store() -> WeightStore:
    """Return the store of trained weights: where SKETCHCOLOR_WEIGHTS says, else in the user's data folder."""
    chosen = os.environ.get(WEIGHTS)
    if chosen:
        return WeightStore(Path(chosen).expanduser())
    from platformdirs import user_data_path

    return WeightStore(user_data_path("sketchcolor", appauthor=False) / "weights")


def model_shelf() -> ModelShelf:
    """Return the models that have a name; SKETCHCOLOR_MODELS says where imported ones lie."""
    chosen = os.environ.get(MODELS)
    if chosen:
        return ModelShelf(Path(chosen).expanduser())
    from platformdirs import user_data_path

    return ModelShelf(user_data_path("sketchcolor", appauthor=False) / "models")


def model_file(name_or_path: str) -> Path:
    """Return the file of a model, given by its name or path.

    Raises:
        CheckpointError: There is none.
    """
    return model_shelf().find(name_or_path)


def cache_folder() -> Path:
    """Return where what can be made again is kept: where SKETCHCOLOR_CACHE says, or the user's cache."""
    chosen = os.environ.get(CACHE)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("sketchcolor", appauthor=False)


PROJECTS = "SKETCHCOLOR_PROJECTS"
"""The variable that says where the studio makes projects and remembers those of before."""


def projects_folder() -> Path:
    """Return where the studio makes projects: where SKETCHCOLOR_PROJECTS says, or the user's data folder."""
    chosen = os.environ.get(PROJECTS)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("sketchcolor", appauthor=False) / "projects"


CONFIG = "SKETCHCOLOR_CONFIG"
"""The variable that says where the user's settings are."""


def variables() -> Mapping[str, str]:
    """Return the environment variables."""
    return os.environ


def config_file() -> Path:
    """Return where the user's settings are: SKETCHCOLOR_CONFIG, or config.toml in the config folder."""
    chosen = os.environ.get(CONFIG)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_config_path

    return user_config_path("sketchcolor", appauthor=False) / "config.toml"


def configured(kind: type[Settings], command: str) -> dict[str, Any]:
    """Return what the user's config file sets for a command, by name.

    Keys at its top are for every command that has such an option, those in ``[command]`` for that one.

    Raises:
        UsageError: The file cannot be read, or sets something that makes no sense.
    """
    path = config_file()
    if not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); mend or delete it") from error
    own = document.pop(command, {})
    tables = {name for name, value in document.items() if isinstance(value, dict)}
    if not isinstance(own, dict):
        raise UsageError(f"{path}: {command} must be a table of settings, as in [{command}]")
    keys = {key for leaf in leaves(kind) if leaf.about.stored for key in (leaf.key, leaf.field)}
    shared = {name: value for name, value in document.items() if name.replace("_", "-") in keys}
    try:
        return from_table(kind, {**shared, **own}, path.parent, ignore=frozenset(tables))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def process_ranks() -> tuple[int, int, int]:
    """Return which of how many training processes this is, and which on its machine, as torchrun says it."""
    names = (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0))
    rank, count, local = (int(os.environ.get(name, default)) for name, default in names)
    return rank, count, local
