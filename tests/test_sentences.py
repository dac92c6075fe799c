"""The docs are read in a hurry: no sentence has more than three commas, lists of names and brackets aside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GENERATED = {"reference.md"}
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if path.name not in GENERATED),
]
MOST = 3


def sentences(text: str) -> list[str]:
    """Return the sentences of a page, code as ``C``, without tables, drawings and what stands in brackets."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"^(\|.*| {4,}(?![-*\d]).*)$", "", text, flags=re.MULTILINE)
    text = re.sub(r"`[^`]*`", "C", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\([^()]*\)", "", text)
    blocks = re.split(r"\n\s*\n|\n(?=\s*[-*#>]|\s*\d+\. )", text)
    return [
        sentence
        for block in blocks
        for sentence in re.split(r"(?<=[.!?:;])\s+", " ".join(block.split()))
        if sentence
    ]


def commas(sentence: str) -> int:
    """Count the commas of a sentence; those between names of code, or of formats, make a list."""
    name = r"(?:C|[A-Z]{2,5})"
    listed = re.sub(rf"{name}(?:,? (?:and |or )?{name})+", "C", sentence)
    return re.sub(r"\d,\d", "", listed).count(",")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_sentence_has_more_than_three_commas(page: Path) -> None:
    long = [sentence for sentence in sentences(page.read_text(encoding="utf-8")) if commas(sentence) > MOST]
    assert long == []


def test_a_long_sentence_is_found() -> None:
    [found] = sentences(
        "A list of `a`, `b`, `c`,\n`d` and `e`, which is short (one, two, three, four, five)."
    )
    assert commas(found) == 1
    assert commas("It goes on, and on, and on, and on, and never ends.") == 4
    assert sentences("One, two.\n\n| a, b, c, d, e |\n\n- Three.") == ["One, two.", "- Three."]
