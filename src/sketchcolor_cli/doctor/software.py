"""The installation: packages, weights, plugins, picture formats, settings."""

from __future__ import annotations

import warnings
from importlib import import_module, metadata
from typing import TYPE_CHECKING

from PIL import features

from sketchcolor_cli import __version__, environment
from sketchcolor_cli.compute import onnx, slim
from sketchcolor_cli.doctor.findings import Finding, Level
from sketchcolor_cli.errors import DataError, SketchcolorError, UsageError
from sketchcolor_cli.files.books import rars
from sketchcolor_cli.files.regular import read_table
from sketchcolor_cli.networks.registry import read_header
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_cli.weights.store import State

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "Installation"
_OF_TORCH = "torch", "torchvision", "fastai", "pytorch-fid"
_PACKAGES = (
    *_OF_TORCH, "onnxruntime", "numpy", "scipy", "opencv-python", "pillow", "safetensors", "pluggy",
    "typer", "rich", "pypdfium2", "starlette", "uvicorn",
)  # fmt: skip
_OTHER_OPENCV = ("opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
_CODECS = {"webp": "WebP", "avif": "AVIF", "jpg_2000": "JPEG 2000", "libtiff": "TIFF", "littlecms2": "ICC"}
EXTRAS = {
    "heic": ("HEIC pictures", ["pillow-heif"], "pillow_heif"),
    "jxl": ("JPEG XL pictures", ["pillow-jxl-plugin"], "pillow_jxl"),
    "psd": ("PSD of 16 bits, --layers psd", ["psd-tools"], "psd_tools"),
    "onnx": ("models export", ["onnx", "onnxruntime", "onnxscript"], "onnxscript"),
    "distributed": ("training in several processes", ["accelerate"], "accelerate"),
    "tensorboard": ("train --tensorboard", ["tensorboard"], "tensorboard"),
    "ray": ("--ray", ["ray"], "ray"),
}
"""Each extra of the package for users: what it is for, its libraries, and the module that is used."""


def check_packages() -> Iterator[Finding]:
    """Give our version and those of what we stand on."""
    yield Finding(GROUP, "sketchcolor", __version__)
    for name in _PACKAGES:
        try:
            yield Finding(GROUP, name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield _absent(name)
    doubles = [name for name in _OTHER_OPENCV if _installed(name)]
    if doubles and _installed("opencv-python"):
        remedy = f"pip uninstall {' '.join(doubles)}, then pip install --force-reinstall opencv-python"
        value = f"opencv-python and {' and '.join(doubles)} overwrite each other"
        yield Finding(GROUP, "OpenCV", value, Level.PROBLEM, remedy)


def check_formats() -> Iterator[Finding]:
    """Give the picture formats that need a library, and the program that unpacks RAR."""
    there = [name for feature, name in _CODECS.items() if features.check(feature)]
    lacking = [name for feature, name in _CODECS.items() if not features.check(feature)]
    yield Finding(GROUP, "picture codecs", ", ".join(there))
    if lacking:
        remedy = "install Pillow from its wheel: pip install --force-reinstall pillow"
        yield Finding(GROUP, "picture codecs", f"without {', '.join(lacking)}", Level.PROBLEM, remedy)
    program = rars.unpacker()
    if program is None:
        yield Finding(GROUP, "CBR", "packed ones are not read", Level.MISSING, "install unar or unrar")
    else:
        yield Finding(GROUP, "CBR", f"unpacked by {program}")


def check_extras() -> Iterator[Finding]:
    """Give the libraries that are needed for a few things alone."""
    for extra, (use, packages, module) in EXTRAS.items():
        name, install = f"{use} (extra {extra})", f"pip install {' '.join(packages)}"
        try:
            with warnings.catch_warnings(action="ignore"):
                import_module(module)
        except ModuleNotFoundError as error:
            lacking = error.name or module
            yield Finding(GROUP, name, f"{lacking} is not installed", Level.MISSING, install)
        except (ImportError, OSError) as error:
            value, remedy = f"{module} cannot be loaded: {error}", f"{install} --force-reinstall"
            yield Finding(GROUP, name, value, Level.PROBLEM, remedy)
        else:
            yield Finding(GROUP, name, "installed")


def check_models() -> Iterator[Finding]:
    """Give the colour models that can be called by name."""
    for model in environment.model_shelf().files():
        origin = "imported" if model.imported else "bundled"
        try:
            header = read_header(model.path)
        except SketchcolorError as error:
            remedy = (
                f"sketchcolor models remove {model.name}" if model.imported else "install sketchcolor again"
            )
            yield Finding(GROUP, f"model {model.name}", str(error), Level.PROBLEM, remedy)
        else:
            yield Finding(GROUP, f"model {model.name}", f"{origin}, {header.parameters:,} parameters")


def check_plugins() -> Iterator[Finding]:
    """Give the extractors, and why some do not work or are not ready."""
    extractors, store = find_extractors(), environment.weight_store()
    for listing in extractors.listings:
        name = f"extractor {listing.name}"
        if listing.problem:
            remedy = f"update or remove {listing.distribution}"
            yield Finding(GROUP, name, f"{listing.origin}: {listing.problem}", Level.PROBLEM, remedy)
            continue
        try:
            needed = extractors.weights(listing.name)
        except Exception as error:
            yield Finding(
                GROUP,
                name,
                f"{listing.origin}: {error}",
                Level.PROBLEM,
                f"update or remove {listing.distribution}",
            )
            continue
        lacking = [file.name for file in needed if store.state(file) is not State.READY]
        if lacking:
            remedy = f"sketchcolor weights fetch {listing.name}"
            yield Finding(GROUP, name, f"lacks weights: {', '.join(lacking)}", Level.MISSING, remedy)
        else:
            yield Finding(GROUP, name, "ready")


def check_weights() -> Iterator[Finding]:
    """Give the weights that are stored, each number of them verified."""
    store = environment.weight_store()
    for weights in find_extractors().registry().all:
        state = store.state(weights.file)
        if state is State.MISSING:
            continue
        try:
            store.verify(weights.file)
        except SketchcolorError as error:
            remedy = f"sketchcolor weights fetch {weights.file.name} --overwrite"
            yield Finding(GROUP, f"weights {weights.file.name}", str(error), Level.PROBLEM, remedy)
        else:
            yield Finding(GROUP, f"weights {weights.file.name}", "verified")


def check_settings() -> Iterator[Finding]:
    """Give the config file and the variables that are set, without their values."""
    yield _config_file()
    found = sorted(name for name in environment.variables() if name.startswith("SKETCHCOLOR_"))
    yield Finding(GROUP, "variables", ", ".join(found) or "none")


def _config_file() -> Finding:
    try:
        path = environment.config_file()
    except UsageError as error:
        return Finding(GROUP, "config file", str(error), Level.PROBLEM, f"unset {environment.CONFIG}")
    if not path.is_file():
        return Finding(GROUP, "config file", f"{path}, not there")
    try:
        read_table(path)
    except DataError as error:
        return Finding(GROUP, "config file", str(error), Level.PROBLEM, "correct or delete it")
    return Finding(GROUP, "config file", str(path))


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _absent(name: str) -> Finding:
    """Return a finding about a package that is not installed; torch and ONNX Runtime do for each other."""
    if name == "onnxruntime" and slim.has_torch():
        return Finding(GROUP, name, "not installed", Level.MISSING, "pip install onnxruntime")
    if name == "opencv-python" and _installed("opencv-python-headless"):
        return Finding(GROUP, "opencv-python-headless", metadata.version("opencv-python-headless"))
    if name in _OF_TORCH and onnx.is_installed():
        return Finding(GROUP, name, "not installed", Level.MISSING, slim.WITH_TORCH)
    return Finding(GROUP, name, "not installed", Level.PROBLEM, f"pip install {name}")
