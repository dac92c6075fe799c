"""Who may import whom, and what may be called where; docs/design.md says why."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOST, PLUGINS = ROOT / "src" / "sketchcolor_cli", ROOT / "plugins" / "sketchcolor_plugins"

# A module may import from rows above its own, and from its own row only within one name.
ROWS = (
    ("errors", "sizes", "model.config", "training.config"),
    ("worklist", "extractor", "color", "compositing", "devices", "hints", "sixteen"),
    ("hookspecs", "images", "batch"),
    ("plugins", "model"),
    ("extraction", "coloring", "training"),
    ("cli", "testing"),
)
INSIDE = {"model.config": {"errors"}, "training.config": {"errors"}, "hookspecs": {"extractor"}, "images": {"worklist", "sixteen"}}
EXPORTED_TO_PLUGINS = "sketchcolor_cli"


def row(module):
    name = module.removeprefix("sketchcolor_cli.")
    for level, names in enumerate(ROWS):
        for known in names:
            if name == known or name.startswith(f"{known}."):
                return level, known
    return None


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node
                yield node.module or "", node


def forbidden_imports(module, source):
    here = row(module)
    if here is None:
        return []
    wrong = []
    for name, _ in imports(ast.parse(source)):
        there = row(name) if name.startswith("sketchcolor_cli.") else None
        if there is None or there[1] == here[1] or there[1] in INSIDE.get(here[1], ()):
            continue
        if there[0] >= here[0]:
            wrong.append(f"{module} imports {name}")
    return wrong


def host_modules():
    for path in sorted(HOST.rglob("*.py")):
        parts = path.relative_to(HOST.parent).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path.read_text(encoding="utf-8")


def calls(tree, *dotted):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in dotted:
            yield node


def test_every_module_has_its_row():
    known = {"sketchcolor_cli", "sketchcolor_cli.__main__"}
    assert [name for name, _ in host_modules() if row(name) is None and name not in known] == []


def test_imports_go_one_way():
    assert [wrong for module, source in host_modules() for wrong in forbidden_imports(module, source)] == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("coloring.colorizer", "from sketchcolor_cli.training.results import psnr"),
        ("extraction", "import sketchcolor_cli.coloring.models"),
        ("errors", "from sketchcolor_cli.sizes import SizeRule"),
        ("images", "from sketchcolor_cli.model.base import ColorNet"),
        ("model.base", "from sketchcolor_cli.cli import app"),
    ],
)
def test_a_wrong_import_is_found(module, line):
    assert forbidden_imports(f"sketchcolor_cli.{module}", line)


def test_fastai_stays_in_its_two_modules():
    users = {
        module
        for module, source in host_modules()
        for name, _ in imports(ast.parse(source))
        if name.startswith("fastai")
    }
    assert users == {"sketchcolor_cli.training.callbacks", "sketchcolor_cli.training.stages"}


def test_only_the_command_line_prints():
    for module, source in host_modules():
        if not module.startswith("sketchcolor_cli.cli"):
            tree = ast.parse(source)
            assert not list(calls(tree, "print")), module
            assert "sys.stdout" not in source, module


def test_nothing_is_unpickled():
    for module, source in host_modules():
        tree = ast.parse(source)
        assert not list(calls(tree, "pickle.load", "pickle.loads", "load_learner")), module
        for call in calls(tree, "torch.load"):
            assert any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in call.keywords), module


def test_plugins_use_only_what_is_exported_and_load_torch_late():
    for path in PLUGINS.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, _ in imports(tree):
            if name.startswith("sketchcolor_cli"):
                assert name.split(".")[0] == EXPORTED_TO_PLUGINS
                assert "." not in name or row(name) is None, f"{path.name} imports {name}"
        if path.name == "__init__.py":
            top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
            heavy = {"torch", "numpy", "cv2"}
            assert not heavy & {ast.unparse(node).split()[1].split(".")[0] for node in top}, path
