from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from sketchcolor_cli import Extractor, Parameter, WeightFile
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.errors import PluginError, UsageError
from sketchcolor_cli.plugin.discovery import Extractors, Listing, find_extractors

OURS = [
    "anime2sketch",
    "anime2sketch-improved",
    "avg",
    "gray",
    "linework",
    "sketch-simplification",
    "sketchkeras",
    "xdog",
]
GUIDE = Path(__file__).parents[1] / "docs" / "plugins.md"
GOOD = """
    from sketchcolor_cli import Extractor, Parameter, WeightFile, WeightSource, hookimpl

    @hookimpl
    def sketchcolor_extractors():
        yield Extractor(
            "NAME",
            "A demo.",
            lambda resources: None,
            weights=(WeightFile("net", "MIT", (WeightSource("net.bin", 3, urls=("https://example.org/net.bin",)),)),),
            parameters=(Parameter("sigma", 0.5, "Width in pixels."),),
        )
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a distribution with one module and one entry point where the interpreter looks for them."""
    modules = []
    monkeypatch.syspath_prepend(tmp_path)

    def add(distribution, source, *, version="1.0", entry="demo"):
        module = distribution.replace("-", "_")
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[sketchcolor.extractors]\n{entry} = {module}\n")
        monkeypatch.syspath_prepend(tmp_path)  # what was looked up before is forgotten

    yield add
    for module in modules:
        sys.modules.pop(module, None)


def listed(extractors, distribution):
    [listing] = [listing for listing in extractors.listings if listing.distribution == distribution]
    return listing


def test_ours_come_in_by_the_strangers_door():
    ours = [listing for listing in find_extractors().listings if listing.distribution == "sketchcolor-cli"]
    assert [listing.name for listing in ours] == OURS
    assert all(listing.ready for listing in ours)


def test_a_strangers_extractor_is_found_and_listed(install):
    install("demo-lines", GOOD.replace("NAME", "demo"), version="2.5")
    extractors = find_extractors()
    assert extractors.names() == sorted([*OURS, "demo"])
    assert extractors.get("demo").summary == "A demo."
    expected = {
        "name": "demo",
        "summary": "A demo.",
        "distribution": "demo-lines",
        "version": "2.5",
        "parameters": [{"name": "sigma", "default": 0.5, "help": "Width in pixels."}],
        "weights": [
            {
                "name": "net",
                "licence": "MIT",
                "non_commercial": False,
                "size": 3,
                "sources": [
                    {
                        "file": "net.bin",
                        "size": 3,
                        "sha256": None,
                        "md5": None,
                        "urls": ["https://example.org/net.bin"],
                        "wheel": None,
                    }
                ],
            }
        ],
        "missing_weights": [],
        "ready": True,
        "problem": None,
    }
    assert json.loads(json.dumps(listed(extractors, "demo-lines").to_json())) == expected


HOOK = "from sketchcolor_cli import Extractor, hookimpl\n@hookimpl\n"
BROKEN = {
    "import": ("import no_such_module_here", "ModuleNotFoundError: No module named 'no_such_module_here'"),
    "many lines": ("raise RuntimeError('first\\nsecond')", "RuntimeError: first$"),
    "no text": ("raise RuntimeError", "RuntimeError$"),
    "hook raises": (HOOK + "def sketchcolor_extractors():\n    raise OSError('disk')", "OSError: disk"),
    "import ends the program": ("import sys\nsys.exit()", r"it ends the program \(sys\.exit\)$"),
    "hook ends the program": (HOOK + "def sketchcolor_extractors():\n    exit(0)", "it ends the program"),
    "misspelt": (
        HOOK + "def sketchcolor_extractor():\n    return []",
        "unknown hook 'sketchcolor_extractor' in",
    ),
    "unmarked": ("def sketchcolor_extractors():\n    return []", "no function sketchcolor_extractors marked"),
    "arguments": (
        HOOK + "def sketchcolor_extractors(device):\n    return []",
        "Plugin 'broken_lines' for hook",
    ),
    "no extractor": (HOOK + "def sketchcolor_extractors():\n    return ['xdog']", "gave 'xdog', which is no"),
    "no list": (HOOK + "def sketchcolor_extractors():\n    return None", "TypeError: 'NoneType'"),
    "bad declaration": (
        HOOK + "def sketchcolor_extractors():\n    return [Extractor('Bad Name', 'A demo.', print)]",
        "ValueError: extractor 'Bad Name'",
    ),
}


@pytest.mark.parametrize(("source", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_set_aside_with_its_distribution_and_the_others_work(install, source, said):
    install("broken-lines", source, version="0.3", entry="broken")
    install("whole-lines", GOOD.replace("NAME", "whole"))
    extractors = find_extractors()
    assert extractors.names() == sorted([*OURS, "whole"])
    assert extractors.get("whole").name == "whole"
    listing = listed(extractors, "broken-lines")
    assert (listing.name, listing.version, listing.ready) == ("broken", "0.3", False)
    assert "\n" not in listing.problem
    assert re.search(r"^the plugin of broken-lines 0\.3 does not work: .*" + said, listing.problem)
    with pytest.raises(PluginError, match=r"^broken: the plugin of broken-lines 0\.3 does not work: "):
        extractors.get("broken")


def test_one_name_from_two_distributions_is_an_error_that_names_both_when_it_is_asked_for(install):
    install("first-lines", GOOD.replace("NAME", "lines"), version="1.1")
    install("second-lines", GOOD.replace("NAME", "lines"), version="2.2", entry="other")
    extractors = find_extractors()
    assert extractors.names() == OURS
    for distribution in ("first-lines", "second-lines"):
        assert "first-lines 1.1 and second-lines 2.2" in listed(extractors, distribution).problem
    with pytest.raises(PluginError, match=r"lines: first-lines 1\.1 and second-lines 2\.2"):
        extractors.get("lines")
    assert extractors.get("xdog").name == "xdog"


def test_a_broken_plugin_does_not_hide_a_working_extractor_of_its_name(install):
    install("a-broken-one", "raise RuntimeError", entry="xdog")
    assert find_extractors().get("xdog").name == "xdog"


def test_an_unknown_name_is_an_error_with_the_names_that_are_close():
    with pytest.raises(
        PluginError, match=r"xdgo: no extractor of this name is installed; did you mean xdog\?"
    ):
        find_extractors().get("xdgo")
    with pytest.raises(PluginError, match="there are: " + ", ".join(OURS)):
        find_extractors().get("completely-different")
    with pytest.raises(PluginError, match=r"there are: none"):
        Extractors([Listing("broken", "lines", "1", problem="It is broken.")]).get("xdog")


def test_plugins_are_loaded_without_torch():
    code = (
        "import sys\nfrom sketchcolor_cli.plugin.discovery import find_extractors\n"
        "assert find_extractors().get('xdog')\nsys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_other_python_block_of_the_guide_runs():
    blocks = re.findall(
        r"(?<!`:\n\n)^```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), {})  # noqa: S102 - the guide is ours


def some(name, **declared):
    return Listing(name, "demo", "1.0", Extractor(name, "A demo.", print, **declared))


def test_what_an_extractor_needs_is_found_through_those_that_it_is_made_of():
    net, other, third = (WeightFile(name, "MIT") for name in ("net", "other", "third"))
    extractors = Extractors(
        [
            some("a", weights=(net, other)),
            some("b", weights=(other, third), needs=lambda values: [third] if values["fine"] else [other],
                 parameters=(Parameter("fine", True, "Which of the two."),)),
            some("both", needs=lambda _: ["a", "b"]),
            some("parts", weights=(third,), parts=("a",)),
            some("loop", weights=(net,), needs=lambda _: [net, "loop"]),
            some("lost", needs=lambda _: ["gone"]),
            some("odd", needs=lambda _: int("x")),
            some("end", needs=lambda _: sys.exit()),
        ]
    )  # fmt: skip
    assert extractors.weights("a") == [net, other]
    assert extractors.weights("b") == [third]
    assert extractors.weights("b", ["fine=no"]) == [other]
    assert extractors.weights("both") == [net, other, third]
    assert extractors.weights("parts") == [third, net, other]
    assert extractors.weights("loop") == [net]
    with pytest.raises(PluginError, match="gone: no extractor"):
        extractors.weights("lost")
    with pytest.raises(UsageError, match="odd: invalid literal"):
        extractors.weights("odd")
    with pytest.raises(PluginError, match="end: ends the program"):
        extractors.weights("end")
    with pytest.raises(UsageError, match="no parameter 'x'"):
        extractors.weights("a", ["x=1"])


LOUD = """
import sys
from sketchcolor_cli import Extractor, hookimpl

print("imported")

def load(resources):
    print("loaded")
    return lambda rgb: print("drawn") or rgb[:, :1]

@hookimpl
def sketchcolor_extractors():
    print("asked")
    return [Extractor("loud", "Says what it does.", load)]
"""


def test_what_plugins_print_does_not_get_between_the_results(install, tmp_path):
    install("loud-lines", LOUD)
    Image.new("RGB", (8, 6), "red").save(tmp_path / "a.png")
    words = ["extract", str(tmp_path / "a.png"), "-o", str(tmp_path / "out"), "-m", "loud", "--json"]
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 0, ran.stderr
    assert json.loads(ran.stdout)["method"] == "loud"
    assert {"imported", "asked", "loaded", "drawn"} <= set(ran.stderr.splitlines())
    listed = CliRunner().invoke(app, ["plugins", "--json"])
    assert "loud" in {row["name"] for row in json.loads(listed.stdout)}
