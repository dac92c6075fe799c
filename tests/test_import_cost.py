"""Asking what there is, and making a mistake, must not cost the seconds that loading PyTorch takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Processor time, measured on two cores of a cloud machine: `sketchcolor --help` takes 0.25 s, of which Python
# itself, rich, and reading what plugins are installed are the most; `import torch` alone takes 3 s, fastai
# another 5. Time is not asserted, as it depends on the machine; what is loaded does not.
HEAVY = {
    "PIL",
    "cv2",
    "fastai",
    "fastcore",
    "numpy",
    "pandas",
    "safetensors",
    "scipy",
    "torch",
    "torchvision",
}
QUICK = {
    "": 2,
    "--help": 0,
    "--version": 0,
    "plugins": 0,
    "plugins --json": 0,
    "weights list": 0,
    "weights list --json": 0,
    "weights show fid-inception": 0,
    "weights show gone": 1,
    "weights path": 0,
    "weights path fid-inception": 0,
    "weights verify": 0,
    "weights fetch gone": 1,
    "weights fetch --help": 0,
    "weights remove gone": 1,
    "extract --help": 0,
    "colorize --help": 0,
    "studio --help": 0,
    "serve --help": 0,
    "train --help": 0,
    "fid --help": 0,
    "evaluate --help": 0,
    "dataset prepare --help": 0,
    "dataset rules": 0,
    "extract . -o out --overwrite --resume": 2,
    "extract missing -o out": 1,
    "colorize missing -o out": 1,
    "colorize . -o out --work-size 1": 2,
    "train . -o out --epochs 0": 2,
    "fid . . --dims 3": 2,
    "evaluate --data . -o out --limit 0": 2,
}
# One process for all of them, as starting one takes longer than what is asked. The last line shows that a
# heavy module would be seen.
ASK = """
import json, sys
from typer.testing import CliRunner
from sketchcolor_cli.cli.app import app

def ask(line):
    code = CliRunner().invoke(app, line.split()).exit_code
    return code, sorted({name.partition(".")[0] for name in sys.modules})

seen = {line: ask(line) for line in json.load(sys.stdin)}
import numpy
print(json.dumps([seen, ask("--help")]))
"""


def test_help_and_mistakes_load_nothing_heavy(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps(list(QUICK)),
        env={**os.environ, "SKETCHCOLOR_WEIGHTS": str(tmp_path / "weights")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not (tmp_path / "weights").exists()
    seen, after_numpy = json.loads(ran.stdout)
    assert {line: code for line, (code, _) in seen.items()} == QUICK
    loaded = {line: found for line, (_, modules) in seen.items() if (found := HEAVY.intersection(modules))}
    assert loaded == {}
    typed = list(QUICK)[: list(QUICK).index("colorize . -o out --work-size 1")]  # texts and paths alone
    assert [line for line in typed if "pydantic" in seen[line][1]] == []
    assert HEAVY.intersection(after_numpy[1]) == {"numpy"}
