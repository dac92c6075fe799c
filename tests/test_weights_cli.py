"""``sketchcolor weights`` as typed: what it prints, what it leaves behind, exit codes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from safetensors.torch import load_file
from typer.testing import CliRunner

from sketchcolor_cli import Extractor, WeightFile, WeightSource
from sketchcolor_cli.cli import weights
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.plugin.discovery import Extractors, Listing
from sketchcolor_cli.weights.convert import SUFFIXES
from sketchcolor_cli.weights.spec import Wheel
from web import Web, serving

RUNNER = CliRunner(
    env={**dict.fromkeys(("FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE")), "COLUMNS": "300"}
)
STATE = {"weight": torch.arange(12.0).reshape(3, 4)}
COMMANDS = ["fetch", "import", "list", "path", "remove", "show", "verify"]


def layout() -> dict[str, torch.Tensor]:
    return {"weight": torch.empty(3, 4, device="meta")}


def command(line: str) -> Any:
    return RUNNER.invoke(app, ["weights", *shlex.split(line)])


class Shelf:
    """A store in an empty folder, a web, and three extractors with weights; ``net.pth`` is one of them."""

    def __init__(self, web: Web, folder: Path) -> None:
        torch.save(STATE, "net.pth")
        data = Path("net.pth").read_bytes()
        self.web, self.folder = web, folder
        self.sha256 = hashlib.sha256(data).hexdigest()
        source = WeightSource("net.pth", len(data), self.sha256, urls=(web.file("/net.pth", data),))
        self.size, self.kilobytes = len(data), f"{len(data) / 1000:.1f} kB"
        net = WeightFile("net", "MIT", (source,), layout=layout)
        bound = WeightFile("bound", "research only", (source,), non_commercial=True, layout=layout)
        own = WeightFile("own", "none stated", layout=layout)
        odd = WeightSource("odd.bin", wheel=Wheel("odds", "2.0", "ab" * 32, "odds/odd.bin"))
        self.declared = [
            Extractor("first", "Draws.", print, weights=(net,)),
            Extractor("second", "Draws.", print, weights=(net, bound)),
            Extractor("third", "Draws.", print, weights=(own, WeightFile("odd", "MIT", (odd,)))),
        ]

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKETCHCOLOR_WEIGHTS", str(tmp_path / "kept"))
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with serving() as web:
        shelf = Shelf(web, tmp_path / "kept")
        monkeypatch.setattr(
            weights,
            "find_extractors",
            lambda: Extractors(
                [Listing(extractor.name, "demo", "1.0", extractor) for extractor in shelf.declared]
            ),
        )
        yield shelf


def test_all_are_listed_with_state_size_licence_and_users(shelf: Shelf) -> None:
    assert command("import own net.pth").exit_code == 0
    shelf.path("bound").write_bytes(b"damaged")
    result = command("list")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in result.stdout.splitlines()]
    assert [row for row in rows if row] == [
        ["name", "state", "download", "licence", "used by"],
        ["bound", "damaged", shelf.kilobytes, "research only", "second"],
        [
            "fid-inception",
            "missing",
            "96 MB",
            "Apache-2.0; Inception-v3 of 2015-12-05 by Google",
            "sketchcolor fid, sketchcolor evaluate",
        ],
        [
            "lpips-alexnet",
            "missing",
            "244 MB",
            "BSD-3-Clause; AlexNet trained on ImageNet, by torchvision",
            "sketchcolor evaluate",
        ],
        [
            "lpips-heads",
            "missing",
            "6.0 kB",
            "BSD-2-Clause; LPIPS v0.1 for AlexNet, by R. Zhang and others",
            "sketchcolor evaluate",
        ],
        ["net", "missing", shelf.kilobytes, "MIT", "first, second"],
        ["odd", "missing", "unknown", "MIT", "third"],
        ["own", "ready", "unknown", "none stated", "third"],
    ]
    listed = {row["name"]: row for row in json.loads(command("list --json").stdout)}
    assert {name: row["state"] for name, row in listed.items()} == {row[0]: row[1] for row in rows[3:-1]}
    assert listed["net"] == {
        "name": "net",
        "licence": "MIT",
        "non_commercial": False,
        "size": shelf.size,
        "sources": [
            {
                "file": "net.pth",
                "size": shelf.size,
                "sha256": shelf.sha256,
                "md5": None,
                "urls": [f"{shelf.web.address}/net.pth"],
                "wheel": None,
            }
        ],
        "used_by": ["first", "second"],
        "problem": None,
        "state": "missing",
        "path": str(shelf.path("net")),
        "stored": None,
    }
    assert listed["own"]["stored"]["origin"] == "a file of the user"


def test_show_tells_all_that_is_known(shelf: Shelf) -> None:
    assert command("show bound").stdout == (
        "name      bound\n"
        "licence   research only\n"
        "          forbids commercial use; fetch and import need --accept-licence\n"
        "used by   second\n"
        f"state     missing, {shelf.path('bound')}\n"
        f"published net.pth, {shelf.size} bytes, sha256:{shelf.sha256}\n"
        f"          {shelf.web.address}/net.pth\n"
    )
    assert command("show odd").stdout.splitlines()[-2:] == [
        "published odd.bin, size unknown, no checksum known",
        "          odds/odd.bin in the wheel odds 2.0, by pip",
    ]
    assert command("fetch net").exit_code == 0
    line = f"stored    from net.pth, checksum verified; {shelf.web.address}/net.pth"
    assert line in command("show net").stdout.splitlines()
    assert json.loads(command("show net --json").stdout)["state"] == "ready"


def test_fetch_shows_the_licence_first_and_says_where_the_weights_are(shelf: Shelf) -> None:
    result = command("fetch net --json")
    assert result.exit_code == 0
    assert result.stderr == f"net: MIT, {shelf.kilobytes}\nnet: verified, in {shelf.path('net')}\n"
    assert json.loads(result.stdout) == {
        "done": [
            {
                "name": "net",
                "path": str(shelf.path("net")),
                "file": "net.pth",
                "origin": f"{shelf.web.address}/net.pth",
                "checksums": [f"sha256:{shelf.sha256}"],
                "verified": True,
            }
        ],
        "failed": [],
    }
    assert torch.equal(load_file(shelf.path("net"))["weight"], STATE["weight"])
    result = command("fetch net")
    assert result.stderr == f"net: already there, in {shelf.path('net')}\n"
    assert len(shelf.web.asked) == 1
    assert command("fetch net --overwrite").exit_code == 0
    assert len(shelf.web.asked) == 2


def test_nothing_is_fetched_before_every_licence_is_accepted(shelf: Shelf) -> None:
    result = command("fetch net bound")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: bound: its licence is: research only; if you accept that, say so with --accept-licence\n"
    )
    assert shelf.web.asked == []
    assert command("import bound net.pth").exit_code == 2
    assert not shelf.folder.exists()
    assert command("fetch net bound --accept-licence").exit_code == 0
    assert shelf.path("net").exists()
    assert shelf.path("bound").exists()
    assert command("import bound net.pth --accept-licence").exit_code == 0


def test_a_methods_name_stands_for_all_that_it_needs(shelf: Shelf) -> None:
    shelf.declared.append(Extractor("mean", "Draws.", print, parts=("first", "second")))
    shelf.declared.append(Extractor("plain", "Draws.", print))
    result = command("fetch mean")
    assert result.exit_code == 2
    assert "bound: its licence is" in result.stderr
    result = command("fetch mean plain net --accept-licence --json")
    assert [done["name"] for done in json.loads(result.stdout)["done"]] == ["net", "bound"]
    assert result.stderr.startswith("plain: needs no weights\n")
    assert command("fetch third").exit_code == 1  # one of them cannot be had


def test_what_cannot_be_fetched_is_named_and_the_rest_goes_on(shelf: Shelf) -> None:
    result = command("fetch own net --json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert [done["name"] for done in told["done"]] == ["net"]
    [failed] = told["failed"]
    assert failed["name"] == "own"
    assert f"error: {failed['message']}\n" in result.stderr
    assert "sketchcolor weights import own FILE" in failed["message"]


def test_an_import_of_no_published_file_is_a_warning(shelf: Shelf) -> None:
    torch.save({"module.weight": STATE["weight"]}, "mine.bin")
    result = command("import net mine.bin --json")
    assert result.exit_code == 0
    assert result.stderr == (
        f"net: MIT\nnet: in {shelf.path('net')}\n"
        "warning: net: mine.bin is taken as it fits the network, but its checksum is not a published one\n"
    )
    assert json.loads(result.stdout)["verified"] is False
    result = command("import own net.pth")
    assert result.stderr.endswith("fits the network, but no checksum of it is published\n")
    torch.save({"other": STATE["weight"]}, "other.bin")
    result = command("import net other.bin")
    assert result.exit_code == 1
    assert result.stderr.endswith("error: other.bin: not the weights of net; it lacks weight\n")
    assert torch.equal(load_file(shelf.path("net"))["weight"], STATE["weight"])


def test_verify_looks_at_every_number(shelf: Shelf) -> None:
    result = command("verify")
    assert (result.exit_code, result.stderr) == (0, f"no weights are stored in {shelf.folder}\n")
    command("fetch net")
    command("import own net.pth")
    result = command("verify --json")
    assert result.exit_code == 0
    assert result.stderr == (
        "net: OK (published, checksum verified)\nown: OK (unverified, a file of the user)\n"
    )
    assert json.loads(result.stdout) == [
        {"name": "net", "right": True, "message": ""},
        {"name": "own", "right": True, "message": ""},
    ]
    data = bytearray(shelf.path("net").read_bytes())
    data[-1] ^= 1
    shelf.path("net").write_bytes(data)
    result = command("verify")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        f"error: {shelf.path('net')}: damaged, its numbers are not those that were"
    )
    assert "get them by: sketchcolor weights fetch net\n" in result.stderr
    assert command("verify own").exit_code == 0
    assert command("verify bound").exit_code == 1
    assert command("fetch net").stderr.endswith(f"net: verified, in {shelf.path('net')}\n")
    assert command("verify net").exit_code == 0


def test_path_prints_one_line(shelf: Shelf) -> None:
    assert command("path").stdout == f"{shelf.folder}\n"
    assert command("path net").stdout == f"{shelf.path('net')}\n"
    assert json.loads(command("path net --json").stdout) == {"path": str(shelf.path("net"))}


def test_remove_leaves_nothing(shelf: Shelf) -> None:
    command("fetch net")
    (shelf.folder / "partial" / "net").mkdir(parents=True)
    result = command("remove net bound --json")
    assert (result.exit_code, result.stderr) == (0, "net: removed\nbound: was not there\n")
    assert json.loads(result.stdout) == [
        {"name": "net", "removed": True},
        {"name": "bound", "removed": False},
    ]
    assert list(shelf.folder.rglob("*")) == [shelf.folder / "partial"]


@pytest.mark.parametrize("line", ["show nte", "import nte net.pth", "verify nte", "path nte", "remove nte"])
def test_an_unknown_name_is_one_line(shelf: Shelf, line: str) -> None:
    result = command(line)
    assert result.exit_code == 1
    assert result.stderr == "error: nte: no weights of this name are known; did you mean net?\n"
    assert command("fetch nte").stderr == result.stderr


def test_two_plugins_with_different_weights_of_one_name_are_told_apart(shelf: Shelf) -> None:
    shelf.declared.append(Extractor("fourth", "Draws.", print, weights=(WeightFile("net", "GPL-3.0"),)))
    result = command("fetch net")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: net: first, second, fourth declare different weights of this name; "
        "uninstall one of the plugins\n"
    )
    [listed] = [row for row in json.loads(command("list --json").stdout) if row["name"] == "net"]
    assert listed["problem"].startswith("first, second, fourth declare")


def test_a_bar_shows_what_comes_on_a_terminal(shelf: Shelf) -> None:
    result = RUNNER.invoke(app, ["weights", "fetch", "net"], env={"TTY_COMPATIBLE": "1", "TERM": "xterm"})
    assert result.exit_code == 0
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", result.stderr)
    assert re.search(rf"net ━+ .*{shelf.web.address.removeprefix('http://')}", shown)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_every_option_and_has_an_example(shelf: Shelf, name: str) -> None:
    group = typer.main.get_command(app).commands["weights"]
    assert sorted(group.commands) == COMMANDS
    described = group.commands[name]
    for option in described.params:
        assert re.fullmatch(r"[A-Z].*[.]", option.help), f"{name} {option.opts}"
    assert len(re.findall(rf"Example: `sketchcolor weights {name}\b[^`]*`", described.help)) == 1
    assert command(f"{name} --help").exit_code == 0


def test_the_guide_names_commands_that_exist_and_the_folder_that_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guide = (Path(__file__).parents[1] / "docs" / "weights.md").read_text("utf-8")
    assert set(re.findall(r"sketchcolor weights (\w+)", guide)) <= set(COMMANDS)
    assert set(re.findall(r"`(\.\w+)`", guide)) == set(SUFFIXES)
    home = Path.home()
    for name in ("SKETCHCOLOR_WEIGHTS", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    table = dict(re.findall(r"^\| (Linux|macOS|Windows) \| `(.+)` \|$", guide, re.MULTILINE))
    folder = command("path").stdout.strip()
    system = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}[sys.platform]
    assert folder == table[system].replace("~", str(home)).replace(
        "%LOCALAPPDATA%", os.environ.get("LOCALAPPDATA", "")
    )
