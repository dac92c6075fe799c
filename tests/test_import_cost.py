"""Light commands stay light: they answer in a quarter of a second because they import nothing heavy."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "fastai", "cv2", "numpy", "scipy", "PIL")
PROBE = f"""
import sys
sys.argv[0] = "sketchcolor"
from sketchcolor_cli.cli.app import main
try:
    main()
except SystemExit as end:
    code = end.code
print("LOADED", [name for name in {HEAVY!r} if name in sys.modules], "CODE", code)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["plugins"], ["extract", "--help"], ["colorize", "--help"], ["train", "--help"]]
)  # fmt: skip
def test_nothing_heavy_is_imported(arguments):
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "LOADED [] CODE 0", done.stdout + done.stderr
