"""The examples in docs/evaluation.md, run as they stand there."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

PAGE = Path(__file__).parents[1] / "docs/evaluation.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=["evaluate", "functions", "fastai"])
def test_an_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], example: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    rng = np.random.default_rng(0)
    for number in range(2):
        flat = np.kron(rng.integers(0, 256, (4, 5, 3)), np.ones((10, 10, 1)))
        Image.fromarray(flat.astype(np.uint8)).save(f"pictures/{number}.png")
    drawings = [(picture, picture) for picture in torch.rand(4, 3, 16, 16)]
    names: dict[str, Any] = {"network": nn.Conv2d(3, 3, 1), "train": drawings, "valid": drawings}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fastai's import uses what torch and pandas call deprecated
        exec(compile(example, str(PAGE), "exec"), names)  # noqa: S102  (our own page)
    assert capsys.readouterr().out.strip()
