"""Files and names that docs/changing.md sends newcomers to are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = " ".join((ROOT / "docs" / "changing.md").read_text(encoding="utf-8").split())
PATHS = re.findall(r"`((?:src|tests|tools)/[\w/.]+)`", PAGE)
PLACES = re.findall(r"`(\w+)` in `(src/[\w/.]+\.py)`", PAGE)


@pytest.mark.parametrize("path", sorted(set(PATHS)))
def test_a_file_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("name", "path"), PLACES)
def test_a_name_is_in_its_file(name: str, path: str) -> None:
    assert re.search(rf"\b{name}\b", (ROOT / path).read_text(encoding="utf-8"))


def test_the_page_names_files() -> None:
    assert len(PATHS) > 10
    assert len(PLACES) >= 6
