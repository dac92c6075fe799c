"""The computer: processors, devices, memory, disk, network, console."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sketchcolor_cli import environment
from sketchcolor_cli.compute import devices, onnx, slim
from sketchcolor_cli.doctor.findings import Finding, Level
from sketchcolor_cli.jobs.settings import DEFAULT_MODEL
from sketchcolor_cli.weights.store import readable_size

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "Computer"
_PAGE_MEMORY = 1.5 * 2**30  # bytes that a large page takes
_LITTLE_SPACE = 2**30


def check_system() -> Iterator[Finding]:
    """Give system, Python and processors."""
    yield Finding(GROUP, "system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield Finding(GROUP, "Python", f"{platform.python_version()}, {platform.python_implementation()}")
    there, usable = os.cpu_count() or 1, _usable_processors()
    of = "" if usable == there else f" of {there}, as far as this process may use them"
    yield Finding(GROUP, "processors", f"{usable}{of}")


def check_devices() -> Iterator[Finding]:
    """Give the devices that torch sees, which of them ``--device auto`` takes, and its threads."""
    if not slim.has_torch():
        return
    import torch

    for number in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(number)
        yield Finding(GROUP, f"cuda:{number}", f"{properties.name}, {readable_size(properties.total_memory)}")
    chosen = devices.resolve("auto")
    why = {"cuda": "torch sees a CUDA device", "mps": "torch sees an Apple GPU"}
    yield Finding(GROUP, "--device auto", f"{chosen}, as {why.get(chosen, 'torch sees no GPU')}")
    if shutil.which("nvidia-smi") and not torch.cuda.device_count():
        remedy = "install a driver and a torch for CUDA that fit each other; torch's website has the command"
        yield Finding(
            GROUP, "NVIDIA driver", "is there, but torch sees no CUDA device", Level.PROBLEM, remedy
        )
    threads, usable = torch.get_num_threads(), _usable_processors()
    if threads > usable:
        remedy = f"set OMP_NUM_THREADS={usable}"
        value = f"{threads} on {usable} processors, which slows all of them down"
        yield Finding(GROUP, "threads", value, Level.PROBLEM, remedy)
    else:
        yield Finding(GROUP, "threads", str(threads))


def check_number_format() -> Iterator[Finding]:
    """Give the number format that ``--precision auto`` takes here, by the trial that commands make."""
    if not slim.has_torch():
        return
    from sketchcolor_cli.compute import precision

    yield Finding(
        GROUP, "--precision auto", f"{precision.choose(devices.resolve('auto'))}, the faster in a trial"
    )


def check_backends() -> Iterator[Finding]:
    """Give what ``--backend auto`` computes colours with here, and why."""
    there = [
        name for name, found in (("torch", slim.has_torch()), ("ONNX Runtime", onnx.is_installed())) if found
    ]
    if not there:
        return  # which the list of packages says
    device = devices.resolve("auto")
    if len(there) == 1:
        value = f"{there[0]}, as nothing else is installed for it"
    elif device != "cpu":
        value = f"torch, as it computes on {device}"
    else:
        backends = environment.backends("auto")
        seconds = backends.trial(environment.model_file(DEFAULT_MODEL))
        chosen = "ONNX Runtime" if backends.prefers_onnx(seconds) else "torch"
        times = f"{seconds['onnx']:.2f} s by ONNX Runtime and {seconds['torch']:.2f} s by torch"
        value = f"{chosen}; a pass took {times}"
    yield Finding(GROUP, "--backend auto", value)


def check_memory() -> Iterator[Finding]:
    """Give the memory, and whether it is enough for a large page."""
    try:
        size = os.sysconf("SC_PAGE_SIZE")
        total, free = size * os.sysconf("SC_PHYS_PAGES"), _free_memory(size)
    except (AttributeError, ValueError, OSError):  # not a system of the Unix kind
        return
    value = f"{readable_size(total)}, {readable_size(free)} free"
    if free < _PAGE_MEMORY:
        yield Finding(
            GROUP, "memory", value, Level.PROBLEM, "close other programs; a large page takes 1.5 GB"
        )
    else:
        yield Finding(GROUP, "memory", value)


def check_folders() -> Iterator[Finding]:
    """Give the folders that are used, whether they can be written, and how much space is left there."""
    folders = {
        environment.WEIGHTS: environment.weight_store().folder,
        environment.MODELS: environment.model_shelf().folder,
        environment.CACHE: environment.cache_folder(),
        environment.PROJECTS: environment.projects_folder(),
    }
    for variable, folder in folders.items():
        if folder is not None:
            name = variable.removeprefix("SKETCHCOLOR_").lower()
            yield _folder(f"folder: {name}", folder, f"choose another folder by {variable}")
    yield _folder("this folder", Path.cwd(), "change to another folder")


def check_network() -> Iterator[Finding]:
    """Give whether studio and server can listen on this computer's own address."""
    try:
        with socket.create_server(("127.0.0.1", 0)):
            yield Finding(GROUP, "port for studio and serve", "can be opened on 127.0.0.1")
    except OSError as error:
        remedy = "allow programs to listen on 127.0.0.1; a firewall or sandbox forbids it"
        yield Finding(GROUP, "port for studio and serve", str(error.strerror), Level.PROBLEM, remedy)


def check_console() -> Iterator[Finding]:
    """Give the encoding of file names and of the console."""
    names = sys.getfilesystemencoding()
    if names.lower().replace("-", "") == "utf8":
        yield Finding(GROUP, "file names", names)
    else:
        remedy = "set PYTHONUTF8=1, or names in other scripts may not be found"
        yield Finding(GROUP, "file names", names, Level.PROBLEM, remedy)


def _usable_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _free_memory(page_size: int) -> int:
    """Return the memory that can be had without swapping, in bytes."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return page_size * os.sysconf("SC_AVPHYS_PAGES")


def _folder(name: str, folder: Path, otherwise: str) -> Finding:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        return Finding(GROUP, name, f"{folder} is a file", Level.PROBLEM, f"move it away, or {otherwise}")
    if not os.access(there, os.W_OK):
        remedy = f"make it writable, or {otherwise}"
        return Finding(GROUP, name, f"{folder}, cannot be written", Level.PROBLEM, remedy)
    free = shutil.disk_usage(there).free
    value = f"{folder}, {readable_size(free)} free"
    if free < _LITTLE_SPACE:
        return Finding(GROUP, name, value, Level.PROBLEM, f"free some space there, or {otherwise}")
    return Finding(GROUP, name, value)
