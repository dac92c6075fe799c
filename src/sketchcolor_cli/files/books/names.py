"""In which encoding a packer wrote names: ZIP without its UTF-8 flag, and old TAR, do not say it.

Guessed from all names of an archive together: an encoding that gives characters that names are made of, in
the order of words, is likelier than one that gives rare ones. Decoded names are for showing and matching
only; the bytes go back as they came.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# Single accents within plain letters are Western; other scripts have runs of bytes above ASCII.
# (No character fits both alternatives, or matching would take exponential time.)
_WESTERN = re.compile(r"([\x00-\x7f]|(?<![^\x00-\x7f])[À-ÿ](?![^\x00-\x7f]))*")
# What names of pages and chapters are made of, in Japanese, Chinese (both scripts) and Korean.
_USUAL = frozenset(
    "第話话頁页巻卷章回集冊册封面表紙纸裏扉目次錄录彩色漫画畫番外編编特典上中下前後后全完短篇新年月日本内內"
)
_USUAL_HANGUL = frozenset("제화권장회표지페이편완전상하부외단목차속")
_RARE, _FOREIGN = -1.0, -3.0


def decoded(names: Sequence[bytes], encoding: str | None = None) -> list[str]:
    """Return names as text: in this encoding, or in the one that fits them best.

    What the encoding cannot say is taken for cp437, in which every byte is a character.
    """
    strange = [name for name in names if not name.isascii()]
    chosen = encoding or (guess(strange) if strange else "ascii")
    return [_decoded(name, chosen) for name in names]


def guess(names: Iterable[bytes]) -> str:
    """Return the likeliest encoding of these names, which are not ASCII."""
    names = list(names)
    if all(_decodes(name, "utf-8") for name in names):
        return "utf-8"
    if all(_WESTERN.fullmatch(name.decode("cp437")) for name in names):
        return "cp437"
    scores = {
        encoding: sum(sum(map(worth, _characters(name.decode(encoding)))) for name in names)
        + sum(_order(name.decode(encoding)) for name in names)
        for encoding, worth in _ENCODINGS.items()
        if all(_decodes(name, encoding) for name in names)
    }
    return max(scores, key=lambda encoding: scores[encoding], default="cp437")


def _decoded(name: bytes, encoding: str) -> str:
    try:
        return name.decode(encoding)
    except UnicodeDecodeError:
        return name.decode("cp437")


def _decodes(name: bytes, encoding: str) -> bool:
    try:
        name.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _characters(name: str) -> Iterable[str]:
    return (letter for letter in name if not letter.isascii())


def _is_kana(letter: str) -> bool:
    return "ぁ" <= letter <= "ヿ"


def _is_kanji(letter: str) -> bool:
    return "一" <= letter <= "鿿" or letter == "々"


def _is_hangul(letter: str) -> bool:
    return "가" <= letter <= "힣"


def _lead(letter: str, encoding: str) -> int:
    return letter.encode(encoding)[0]


def _of_kanji(letter: str, encoding: str, common: range) -> float:
    """Return what a Chinese character speaks for; the first half of each table is in daily use."""
    if letter in _USUAL:
        return 3.0
    return 1.5 if _lead(letter, encoding) in common else _RARE


def _japanese(letter: str) -> float:
    if _is_kana(letter):
        return 2.0
    if _is_kanji(letter):
        return _of_kanji(letter, "cp932", range(0x88, 0x98)) if letter != "々" else 2.0
    if unicodedata.east_asian_width(letter) == "F":
        return 1.0  # letters and digits as wide as the characters
    return _RARE  # half-width syllables too, which other encodings' bytes become


def _chinese(encoding: str, common: range) -> Callable[[str], float]:
    def worth(letter: str) -> float:
        if _is_kanji(letter):
            return _of_kanji(letter, encoding, common)
        return 1.0 if unicodedata.east_asian_width(letter) == "F" else _RARE

    return worth


def _korean(letter: str) -> float:
    if _is_hangul(letter):
        if letter in _USUAL_HANGUL:
            return 3.0
        # Above the Chinese characters of the same bytes, of which only six in ten could be Korean.
        return 1.75 if letter.encode("cp949")[1] > 0xA0 else _RARE
    return 1.0 if unicodedata.east_asian_width(letter) == "F" else _RARE


def _cyrillic(letter: str) -> float:
    if "а" <= letter <= "я" or letter == "ё":
        return 1.25 if letter in "оеаинт" else 1.0
    return 0.3 if "А" <= letter <= "Я" or letter == "Ё" else _FOREIGN


def _western(letter: str) -> float:
    return 0.2 if letter.isalpha() and letter < "ɐ" else _FOREIGN


_ENCODINGS: dict[str, Callable[[str], float]] = {
    "cp932": _japanese,
    "gbk": _chinese("gbk", range(0xB0, 0xD8)),
    "big5": _chinese("big5", range(0xA4, 0xC7)),
    "cp949": _korean,
    "cp866": _cyrillic,
    "cp1251": _cyrillic,
    "cp437": _western,
}


def _order(name: str) -> float:
    """Return what speaks against a name: a capital after a small letter, as no word has it."""
    return _RARE * sum(
        after.isupper() and before.islower() and not (before + after).isascii()
        for before, after in pairwise(name)
    )
