from __future__ import annotations

import json

import pytest

from sketchcolor_cli.weights.spec import WeightFile, WeightSource, Wheel

SHA = "ab" * 32


def test_a_declaration_says_its_size_and_whether_it_can_be_fetched():
    plain = WeightSource("net.pth", 12, SHA, urls=("https://example.org/net.pth",))
    other = WeightSource("net.t7", md5="cd" * 16, wheel=Wheel("nets", "1.0", SHA, "nets/net.t7"))
    assert (WeightFile("net", "MIT").size, WeightFile("net", "MIT").fetchable) == (None, False)
    assert (WeightFile("net", "MIT", (plain,)).size, WeightFile("net", "MIT", (plain,)).fetchable) == (
        12,
        True,
    )
    assert WeightFile("net", "MIT", (other, plain)).size is None
    assert WeightFile("net", "MIT", (other,)).fetchable
    assert not WeightFile("net", "MIT", (WeightSource("net.pth", 12),)).fetchable
    assert (plain.checksum, other.checksum) == (f"sha256:{SHA}", f"md5:{'cd' * 16}")
    assert WeightSource("net.pth").checksum is None


def test_a_declaration_becomes_json():
    source = WeightSource("net.t7", 5, md5="cd" * 16, wheel=Wheel("nets", "1.0", SHA, "nets/net.t7"))
    file = WeightFile("net", "Research only.", (source,), non_commercial=True, layout=dict, convert=dict)
    assert json.loads(json.dumps(file.to_json())) == {
        "name": "net",
        "licence": "Research only.",
        "non_commercial": True,
        "size": 5,
        "sources": [
            {
                "file": "net.t7",
                "size": 5,
                "sha256": None,
                "md5": "cd" * 16,
                "urls": [],
                "wheel": {"project": "nets", "version": "1.0", "sha256": SHA, "member": "nets/net.t7"},
            }
        ],
    }


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: WeightFile("Net", "MIT"), "not 'Net'"),
        (lambda: WeightFile("../net", "MIT"), "not '../net'"),
        (lambda: WeightFile("net", ""), "licence is one line"),
        (lambda: WeightFile("net", "MIT\nand more"), "licence is one line"),
        (lambda: WeightSource("folder/net.pth"), "without a folder"),
        (lambda: WeightSource("..\\net.pth"), "without a folder"),
        (lambda: WeightSource(""), "without a folder"),
        (lambda: WeightSource("net.pth", 0), "number of bytes, not 0"),
        (lambda: WeightSource("net.pth", 1.5), "number of bytes, not 1.5"),
        (lambda: WeightSource("net.pth", sha256="AB" * 32), "sha256 is 64 lower-case"),
        (lambda: WeightSource("net.pth", md5="ab" * 32), "md5 is 32 lower-case"),
        (lambda: WeightSource("net.pth", urls="https://example.org"), "urls is a tuple"),
        (lambda: WeightSource("net.pth", urls=("file:///etc/passwd",)), "does not begin with https://"),
        (lambda: Wheel("nets", "1.0", "", "net.pth"), "wheel nets: sha256"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(declare, said):
    with pytest.raises(ValueError, match=said):
        declare()
