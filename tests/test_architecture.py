"""Who may import whom, and what may be done where; read from the source, so nothing is imported here.

The rooms and rules are those of docs/design.md.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from source_nodes import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[1]
OURS, PLUGINS = "sketchcolor_cli", "sketchcolor_plugins"

ROWS = (
    {
        "errors",
        "files.atomic",
        "settings",
        "imaging.sizes",
        "weights.spec",
    },  # and settings.py everywhere: errors, standard library
    {"color", "compute", "files", "weights"},
    {"imaging", "metrics", "networks", "plugin"},
    {"data", "environment", "extraction"},
    {"coloring", "training", "evaluation"},  # engines: never one another
    {"jobs", "doctor"},
    {"studio"},
    {"cli", "testing"},
)
"""The rooms; each may import from the rows above it only, and from itself."""

FASTAI = {"training.loop.fastai", "training.loop.parallel"}  # the latter needs accelerate, too
ACTS_ON_IMPORT = {"cli.app", "__main__"}  # the one registers the commands, the other is the program
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
SCREEN = {"click", "rich", "typer"}
OUTSIDE = {"os.environ", "os.getenv", "sys.argv", "sys.stderr", "sys.stdin", "sys.stdout"}


def row_of(module: str) -> int:
    """Return the row of a module, given without the package's name: ``training.run``."""
    if ".settings." in f"{module}.":
        return 0
    room = module.partition(".")[0]
    for name in (".".join(module.split(".")[:2]), room):
        for row, rooms in enumerate(ROWS):
            if name in rooms:
                return row
    raise AssertionError(f"{module}: in no row; put it into ROWS and into docs/design.md")


def imports(nodes: Iterable[ast.AST], package: str) -> Iterator[str]:
    """Give the full name of each thing that the import statements among these nodes import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            place = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{place}.{alias.name}" for alias in node.names)


def at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Give the nodes that run when the module is imported: those in no function and not for type checkers."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting.extend(node.orelse)
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


@cache
def exported() -> set[str]:
    """Return the names that plugin authors may use."""
    for node in ast.parse((ROOT / "src" / OURS / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    raise AssertionError("sketchcolor_cli/__init__.py has no __all__")


class Seen(NamedTuple):
    """A module as the rules see it: the full names of what it imports, and what it does that it may not."""

    used: list[str]
    violations: list[str]


def look(name: str, source: str, *, is_package: bool = False) -> Seen:
    """Look through a module of this full name and source."""
    tree = ast.parse(source)
    nodes = nodes_of(tree)
    package = name if is_package else name.rpartition(".")[0]
    top, _, module = name.partition(".")
    room = module.partition(".")[0]
    used = list(imports(nodes, package))
    found = [*_unsafe(used, nodes)]
    if top == PLUGINS:
        found += _from_plugin(used, imports(at_import(tree), package) if is_package else ())
    elif room not in ("", "__main__"):
        found += _upward(used, module)
    if room not in ("cli", "__main__", "environment"):
        found += _on_screen(used, nodes)
    if module not in FASTAI:
        found += [
            f"imports {full}; only {' and '.join(sorted(FASTAI))} know fastai"
            for full in used
            if full.partition(".")[0] in ("fastai", "fastcore")
        ]
    if module not in ACTS_ON_IMPORT:
        found += _side_effects(tree)
    return Seen(used, found)


def violations(name: str, source: str, *, is_package: bool = False) -> list[str]:
    """Return what a module, of this full name and source, does that it may not."""
    return look(name, source, is_package=is_package).violations


def _upward(used: Iterable[str], module: str) -> Iterator[str]:
    room, row = module.partition(".")[0], row_of(module)
    for full in used:
        top, _, other = full.partition(".")
        if top == PLUGINS:
            yield f"imports {full}; plugins come in by their entry points"
        elif top == OURS and other != "__version__" and not _below(other, room, row):
            yield f"imports {full}, which is in no row above"
        elif top != OURS and row == 0 and top not in sys.stdlib_module_names:
            yield f"imports {full}; this row has the standard library alone"


def _below(other: str, room: str, row: int) -> bool:
    """Whether a module of this room and row may import this other one."""
    if row == 0:
        return other.partition(".")[0] in ("errors", "settings") or ".settings" in other
    return other.partition(".")[0] == room or row_of(other) < row


def _from_plugin(used: Iterable[str], listed: Iterable[str]) -> Iterator[str]:
    """What a plugin imports that it may not: anywhere, and when it is listed (what an entry point names)."""
    known = {f"{OURS}.{name}" for name in exported()}
    for full in used:
        if full.partition(".")[0] == OURS and full not in known:
            yield f"imports {full}; plugins use the names that {OURS} exports"
    for full in listed:  # its other modules are loaded late
        top = full.partition(".")[0]
        if top not in sys.stdlib_module_names and top != OURS:
            yield f"imports {full} when it is listed; do that in load"


def _on_screen(used: Iterable[str], nodes: Iterable[ast.AST]) -> Iterator[str]:
    for full in used:
        if full.partition(".")[0] in SCREEN or full in OUTSIDE:
            yield f"imports {full}; only cli/ knows the terminal"
    for node in nodes:
        if isinstance(node, ast.Call) and _dotted(node.func) in ("print", "input"):
            yield f"calls {_dotted(node.func)}; only cli/ knows the terminal"
        elif isinstance(node, ast.Attribute) and _dotted(node) in OUTSIDE:
            yield f"uses {_dotted(node)}; only cli/ knows the terminal"


def _unsafe(used: Iterable[str], nodes: Iterable[ast.AST]) -> Iterator[str]:
    for full in used:
        if full.partition(".")[0] in PICKLES or full in ("torch.load", "fastai.learner.load_learner"):
            yield f"imports {full}; nothing is unpickled"
    for node in nodes:
        if isinstance(node, ast.Call):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if _dotted(node.func) == "torch.load" and not _says(given.get("weights_only"), True):
                yield "calls torch.load without weights_only=True"
            if "allow_pickle" in given and not _says(given["allow_pickle"], False):
                yield f"calls {ast.unparse(node.func)} with allow_pickle"


def _dotted(node: ast.AST) -> str:
    """Return a name, dotted or not, as it is written; nothing for any other expression."""
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return before and f"{before}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _says(node: ast.expr | None, value: bool) -> bool:
    """Whether an expression is this constant."""
    return isinstance(node, ast.Constant) and node.value is value


def _side_effects(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        acts = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
        if acts or isinstance(node, ast.For | ast.While):
            yield f"acts when it is imported: {ast.unparse(node).splitlines()[0]}"


def modules() -> Iterator[tuple[str, Path]]:
    """Give the full name and the file of every module of ours."""
    for folder in (ROOT / "src", ROOT / "plugins"):
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@pytest.fixture(scope="module")
def ours() -> dict[str, Seen]:
    """Every module of ours, by its full name; read once."""
    return {
        name: look(name, path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py")
        for name, path in modules()
    }


def imported(seen: Mapping[str, Seen]) -> dict[str, set[str]]:
    """Return which of these modules each of them imports, anywhere in it."""
    graph = {}
    for name, module in seen.items():
        inside = {full if full in seen else full.rpartition(".")[0] for full in module.used}
        graph[name] = (inside & seen.keys()) - {name}
    return graph


def circles(graph: Mapping[str, set[str]]) -> list[str]:
    """Return each circle of imports, as the way round it."""

    def way(start: str) -> list[str] | None:
        waiting, before = [start], {start: start}
        while waiting:
            module = waiting.pop(0)
            for further in sorted(graph[module]):
                if further == start:
                    steps = [module]
                    while steps[-1] != start:
                        steps.append(before[steps[-1]])
                    return [*steps[::-1], start]
                if further not in before:
                    before[further] = module
                    waiting.append(further)
        return None

    found = (way(module) for module in sorted(graph))
    return [" → ".join(steps) for steps in found if steps]


def test_no_imports_go_in_a_circle(ours: dict[str, Seen]) -> None:
    inside = {
        name: seen for name, seen in ours.items() if name != OURS
    }  # the front door is before and behind all
    assert circles(imported(inside)) == []


def test_a_circle_is_found_also_inside_a_room_and_in_a_function() -> None:
    sources = {
        f"{OURS}.color.one": f"from {OURS}.color import two",
        f"{OURS}.color.two": "def f():\n    from .three import g",
        f"{OURS}.color.three": f"if TYPE_CHECKING:\n    import {OURS}.color.one",
        f"{OURS}.color": f"import {OURS}.color.one",
    }
    found = circles(imported({name: look(name, source) for name, source in sources.items()}))
    assert found[0].replace(f"{OURS}.color.", "") == "one → two → three → one"
    assert len(found) == 3


def test_all_modules_keep_to_their_rooms(ours: dict[str, Seen]) -> None:
    assert len(ours) > 100
    assert {name: seen.violations for name, seen in ours.items() if seen.violations} == {}


SPACES = {"metrics", "networks", "coloring", "training", "evaluation", "studio"}  # beside color itself
CONVERTS = re.compile(
    r"COLOR_(RGB|BGR)2(LAB|HSV|XYZ|YUV)|COLOR_(LAB|HSV|XYZ)2|color\.spaces|color import spaces"
)


def test_other_colour_spaces_stay_in_their_rooms() -> None:
    converting = [name for name, path in modules() if CONVERTS.search(path.read_text(encoding="utf-8"))]
    assert {name.split(".")[1] for name in converting} - {"color"} == SPACES


def test_the_page_on_the_house_tells_these_rows_and_names_every_room() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    [drawn] = re.findall(r"^    errors, settings .*\n(?:      .*\n)*", page, re.MULTILINE)
    plain = re.sub(r"\(.*?\)", "", drawn)
    told = [{room.strip() for room in row.split(",")} for row in plain.split("→")]
    assert told == [{room for room in row if "." not in room} for row in ROWS]
    tree = page.split("```")[1]
    folders = {path.parent.name for name, path in modules() if name.startswith(f"{OURS}.")} - {OURS}
    assert {folder for folder in folders if f"{folder}/" not in tree} == set()
    files = {path.name for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    mentioned = set(re.findall(r"`[\w/]*?(\w+\.py)`", page))
    assert mentioned - files == set()


def test_all_rooms_are_there() -> None:
    rooms = {name.split(".")[1] for name, _ in modules() if name.startswith(f"{OURS}.")}
    assert rooms - {"__main__"} == {room.partition(".")[0] for row in ROWS for room in row}


# The rules bite: in each of these sources one is broken.


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("imaging.sizes", "import numpy", "imports numpy; this row has the standard library alone"),
        ("training.settings", "from torch import nn", "imports torch.nn; this row"),
        (
            "training.settings",
            "from sketchcolor_cli.imaging.sizes import SizeRule",
            "imaging.sizes.SizeRule, which is in no row",
        ),
        (
            "files.worklist",
            "from sketchcolor_cli.imaging.reading import x",
            "imports sketchcolor_cli.imaging.reading.x, which is in no row",
        ),
        (
            "files.worklist",
            "from sketchcolor_cli import imaging",
            "imports sketchcolor_cli.imaging, which is in no row",
        ),
        (
            "files.worklist",
            "from ..imaging import reading",
            "imports sketchcolor_cli.imaging.reading, which is in no row",
        ),
        (
            "networks.blocks",
            "from ..coloring import latents",
            "imports sketchcolor_cli.coloring.latents, which",
        ),
        (
            "networks.base",
            "import sketchcolor_cli.coloring.page",
            "imports sketchcolor_cli.coloring.page, which",
        ),
        (
            "color.spaces",
            "def f():\n    from sketchcolor_cli.networks.hints import spread",
            "hints.spread, which is in no row",
        ),
        (
            "networks.hints",
            "if TYPE_CHECKING:\n    from sketchcolor_cli.jobs.pipeline import Event",
            "pipeline.Event, which is in no row",
        ),
        ("extraction.drawer", "from sketchcolor_cli.training import run", "training.run, which is in no row"),
        (
            "coloring.painter",
            "from sketchcolor_cli.training.presets import PRESETS",
            "PRESETS, which is in no row",
        ),
        ("training.run", "from sketchcolor_cli.cli import printing", "cli.printing, which is in no row"),
        ("testing", "from sketchcolor_cli.cli.app import app", "cli.app.app, which is in no row"),
        ("jobs.colorize", "from sketchcolor_cli.cli import printing", "cli.printing, which is in no row"),
        (
            "extraction.drawer",
            "from sketchcolor_plugins import xdog",
            "plugins come in by their entry points",
        ),
        (
            "training.run",
            "import fastai.vision.all",
            "imports fastai.vision.all; only training.loop.fastai",
        ),
        ("coloring.colorizer", "def f():\n    from fastai.learner import Learner", "know fastai"),
        ("jobs.pipeline", "print('done')", "calls print; only cli/ knows the terminal"),
        ("jobs.pipeline", "def f():\n    sys.stderr.write('done')", "uses sys.stderr; only cli/"),
        ("jobs.pipeline", "from sys import stdout", "imports sys.stdout; only cli/"),
        ("training.run", "from rich.progress import Progress", "imports rich.progress.Progress; only cli/"),
        ("compute.devices", "def f():\n    return os.environ['DEVICE']", "uses os.environ; only cli/"),
        ("training.files", "import pickle", "imports pickle; nothing is unpickled"),
        ("training.files", "from torch import load", "imports torch.load; nothing is unpickled"),
        ("training.files", "state = torch.load(path)", "calls torch.load without weights_only=True"),
        ("training.files", "state = torch.load(path, weights_only=False)", "without weights_only=True"),
        ("training.files", "a = np.load(path, allow_pickle=True)", "calls np.load with allow_pickle"),
        ("imaging.reading", "torch.set_num_threads(1)", "acts when it is imported: torch.set_num_threads(1)"),
        (
            "imaging.reading",
            "for name in names:\n    register(name)",
            "acts when it is imported: for name in names:",
        ),
    ],
)
def test_a_broken_rule_is_found(name: str, source: str, said: str) -> None:
    found = violations(f"{OURS}.{name}", source)
    assert found
    assert said in found[0]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import torch", "imports torch when it is listed; do that in load"),
        ("try:\n    import cv2\nexcept ImportError:\n    cv2 = None", "imports cv2 when it is listed"),
        ("class Net:\n    import numpy", "imports numpy when it is listed"),
        ("from .network import Net", "imports sketchcolor_plugins.demo.network.Net when it is listed"),
        (
            "from sketchcolor_cli.imaging.reading import read_picture",
            "use the names that sketchcolor_cli exports",
        ),
        (
            "def load(resources):\n    from sketchcolor_cli import extraction",
            "sketchcolor_cli.extraction; plugins",
        ),
        ("def load(resources):\n    print(resources)", "calls print"),
    ],
)
def test_a_plugin_that_breaks_a_rule_is_found(source: str, said: str) -> None:
    [found] = violations(f"{PLUGINS}.demo", source, is_package=True)
    assert said in found


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (
            "sketchcolor_cli.networks.config",
            "import json\nfrom sketchcolor_cli.errors import CheckpointError",
        ),
        (
            "sketchcolor_cli.networks.blocks",
            "from .config import GeneratorConfig\nfrom ..color.spaces import rgb_to_lab",
        ),
        ("sketchcolor_cli.training.loop.fastai", "import fastai.learner"),
        (
            "sketchcolor_cli.cli.train",
            "def train():\n    from sketchcolor_cli.training import run\n    print(run)",
        ),
        ("sketchcolor_cli.training.files", "state = torch.load(path, map_location='cpu', weights_only=True)"),
        ("sketchcolor_plugins.demo.network", "import torch\nfrom sketchcolor_cli import SizeRule"),
    ],
)
def test_what_is_allowed_is_not_found(name: str, source: str) -> None:
    assert violations(name, source) == []


def test_a_new_module_needs_a_row() -> None:
    with pytest.raises(AssertionError, match="newcomer: in no row"):
        violations(f"{OURS}.newcomer", "")


SCRIPTS = ("benchmarks", "tools")
"""Folders of commands that no other test imports and that are not checked by types."""


@cache
def defined(module: str) -> set[str]:
    """Return the names that a module of ours gives: what is defined or imported in it, and its submodules."""
    top, *parts = module.split(".")
    base = (ROOT / "plugins" if top == PLUGINS else ROOT / "src").joinpath(top, *parts)
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    names = {path.stem for path in base.iterdir()} if base.is_dir() else set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names | (exported() if module == OURS else set())


def missing_imports(source: str) -> list[str]:
    """Return what a script imports of ours that is not there."""
    return [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith((OURS, PLUGINS))
        for alias in node.names
        if alias.name not in defined(str(node.module))
    ]


def test_benchmarks_and_tools_import_what_is_there() -> None:
    scripts = [path for folder in SCRIPTS for path in (ROOT / folder).rglob("*.py")]
    assert len(scripts) > 30
    found = {path.name: missing_imports(path.read_text(encoding="utf-8")) for path in scripts}
    assert {name: missing for name, missing in found.items() if missing} == {}


def test_an_import_of_what_is_gone_is_found() -> None:
    source = f"def main():\n    from {OURS}.coloring.extras.outputs import Colored, gone\n"
    assert missing_imports(source) == [f"{OURS}.coloring.extras.outputs.gone"]
