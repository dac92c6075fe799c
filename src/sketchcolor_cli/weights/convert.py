"""From a published file to what the store keeps: tensors by the network's names; imports torch."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.weights import pickled
from sketchcolor_cli.weights.format import Packed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from sketchcolor_cli.weights.spec import WeightFile, WeightSource

    Reader = Callable[[Path], Mapping[str, Any]]

TORCH_SUFFIXES = (".pth", ".pt", ".bin", ".ckpt")
SUFFIXES = (*TORCH_SUFFIXES, ".safetensors")
"""The endings of files that can be read without a reader of their own."""

_WRAPPERS = ("state_dict", "model", "params")
_PREFIX = "module."


def convert(file: WeightFile, path: Path, source: WeightSource | None = None) -> dict[str, Packed]:
    """Return the weights in a file, ready to be stored.

    Args:
        file: The weights that are wanted; names and shapes are compared with its layout.
        path: The file.
        source: The published file that this is, down to its checksum; None where it is another.

    Raises:
        WeightError: The file cannot be read, or is not of this network.
    """
    reader = _reader(file, path, source)
    tensors = read_tensors(path) if reader is None else _read_by(reader, path)
    if tensors and all(name.startswith(_PREFIX) for name in tensors):
        tensors = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}
    try:
        converted = dict(file.convert(tensors)) if file.convert else tensors
    except (KeyError, ValueError, IndexError, RuntimeError) as error:
        raise WeightError(f"{path}: not the weights of {file.name} ({error!r})") from error
    if file.layout:
        converted = _fit(path, file, converted, file.layout())
    return {name: pack(path, name, tensor) for name, tensor in converted.items()}


def _reader(file: WeightFile, path: Path, source: WeightSource | None) -> Reader | None:
    """Return what reads a file whose form is its own: that published file, or one with such an ending."""
    if source is not None:
        return source.read
    suffix = path.suffix.lower()
    if not suffix or suffix in SUFFIXES:
        return None
    return next(
        (source.read for source in file.sources if source.read and source.file.lower().endswith(suffix)), None
    )


def _read_by(reader: Reader, path: Path) -> dict[str, Tensor]:
    try:
        return dict(reader(path))
    except OSError as error:
        raise WeightError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, IndexError, TypeError, EOFError) as error:
        raise WeightError(f"{path}: cannot be read ({error})") from error


def pack(path: Path, name: str, tensor: Tensor) -> Packed:
    """Return a tensor as it is stored; its memory is not copied where it lies in one piece.

    Raises:
        WeightError: Its type is one that is not stored.
    """
    import torch

    kinds = {
        torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
        torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
        torch.bool: "BOOL",
    }  # fmt: skip
    if tensor.dtype not in kinds or tensor.layout is not torch.strided:
        raise WeightError(
            f"{path}: {name} is {tensor.dtype}, {tensor.layout}; tensors of this kind are not kept"
        )
    flat = tensor.detach().contiguous().reshape(-1)
    numbers = flat.view(torch.int16) if tensor.dtype == torch.bfloat16 else flat  # which NumPy has
    return Packed(kinds[tensor.dtype], tuple(tensor.shape), numbers.numpy().data)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors in a file by their names in it; nothing in the file is run.

    The ending says how it is read: ``.pth``, ``.pt``, ``.bin`` and ``.ckpt`` by torch, with weights_only,
    and ``.safetensors``.

    Raises:
        WeightError: The ending is another, the file is damaged, or it holds something else than tensors.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise WeightError(
            f"{path}: files that end in {suffix or 'nothing'} are not read; only {_listed()} are"
        )
    if not path.is_file():
        raise WeightError(f"{path}: no such file; check the name")
    try:
        if suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old files make torch warn of what it does in reading them
            content = pickled.load(path)
    except (OSError, SafetensorError) as error:
        raise WeightError(f"{path}: cannot be read ({_first_line(error)})") from error
    except Exception as error:  # torch raises many kinds, and advises to read the file unsafely
        raise WeightError(f"{path}: {_why_unread(error)}") from error
    return _state_dict(path, content)


def _why_unread(error: Exception) -> str:
    """Return why torch reads no tensors from a file, and what helps."""
    kind = re.search(r"GLOBAL ([\w.]{1,100}) was not an allowed", str(error))
    if kind is None:
        return "damaged, or holds more than tensors, which is not read as it could run anything"
    return (
        f"holds more than tensors, which is not read as it could run anything: {kind[1]}, as in a "
        "whole model; if you trust it, save its state_dict() with the program that made it"
    )


def _state_dict(path: Path, content: Any) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint: it is a state dict, or has one under a name of the usual ones."""
    import torch

    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content:
        raise WeightError(f"{path}: holds no tensors by name")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise WeightError(f"{path}: {name!r} in it is not a tensor; export the state dict alone")
    return dict(content)


def _fit(
    path: Path, file: WeightFile, tensors: dict[str, Tensor], layout: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the tensors in the layout's order and types, after comparing names and shapes."""
    for problem, names in (
        ("lacks", [name for name in layout if name not in tensors]),
        ("has beside it", [name for name in tensors if name not in layout]),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise WeightError(f"{path}: not the weights of {file.name}; it {problem} {names[0]}{more}")
    for name, wanted in layout.items():
        found = tensors[name]
        if found.shape != wanted.shape or found.is_floating_point() != wanted.is_floating_point():
            have, due = (f"{tensor.dtype} {tuple(tensor.shape)}" for tensor in (found, wanted))
            raise WeightError(f"{path}: not the weights of {file.name}; {name} is {have}, not {due}")
        if found.is_floating_point() and not bool(found.isfinite().all()):
            raise WeightError(f"{path}: {name} has values that are not finite numbers; get the file again")
    return {name: tensors[name].to(wanted.dtype) for name, wanted in layout.items()}


def _listed() -> str:
    return f"{', '.join(SUFFIXES[:-1])} and {SUFFIXES[-1]}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
