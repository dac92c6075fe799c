"""A setting's default and its sentence are written once: in the field, and nowhere else in the source."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from source_nodes import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]
FIELDS = {"setting": 1, "internal": 1, "argument": 0}  # and which of their arguments is the sentence
OPTIONS = {"typer.Option", "typer.Argument"}


def sentences(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    """Give the help of each setting and option, where it is written out, with its line."""
    for node in nodes:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
            continue
        name = ast.unparse(node.func)
        if name in FIELDS:
            written = node.args[FIELDS[name] :][:1]
        elif name in OPTIONS:
            written = [keyword.value for keyword in node.keywords if keyword.arg == "help"]
        else:
            continue
        yield from ((text.value, text.lineno) for text in written if isinstance(text, ast.Constant))


def defaults(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, Any]]:
    """Give the name and default of each setting that has a value; off, none and empty are no values."""
    for node in nodes:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.value, ast.Call):
            continue
        if ast.unparse(node.value.func) in ("setting", "internal") and node.value.args:
            default = node.value.args[0]
            if isinstance(default, ast.Constant) and default.value:
                yield ast.unparse(node.target), default.value


def parameters(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, Any, str]]:
    """Give the name and default of each parameter that has a value by default, with its function."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            by_place = [*node.args.posonlyargs, *node.args.args]
            by_name = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            for parameter, default in (
                *zip(by_place[::-1], node.args.defaults[::-1], strict=False),
                *by_name,
            ):
                if isinstance(default, ast.Constant) and default.value:
                    yield parameter.arg, default.value, node.name


def said_twice(sources: Iterable[tuple[str, str]]) -> list[str]:
    """Return what is wrong with these sources, each a name and its text."""
    places, said = defaultdict(list), Counter()
    known, given = set(), []
    for name, text in sources:
        nodes = nodes_of(ast.parse(text))
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                places[node.value].append(f"{name}:{node.lineno}")
        said.update(sentence for sentence, _ in sentences(nodes))
        known.update(defaults(nodes))
        given += [(name, *found) for found in parameters(nodes)]
    return [f"{text}: {', '.join(places[text])}" for text in said if len(places[text]) > 1] + [
        f"{name}: {function}({parameter}={value!r}) is the default of a setting"
        for name, parameter, value, function in given
        if (parameter, value) in known
    ]


def test_no_default_and_no_sentence_of_a_setting_is_written_twice() -> None:
    files = [path for folder in ("src", "plugins") for path in sorted((ROOT / folder).rglob("*.py"))]
    texts = [(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in files]
    fields = [text for name, text in texts if name.endswith(("settings.py", "requests.py"))]
    assert sum(len(list(sentences(nodes_of(ast.parse(text))))) for text in fields) > 100
    assert said_twice(texts) == []


def test_what_is_written_twice_is_found() -> None:
    field = 'seed: int = setting(3, "Seed of the colours.", least=0)\n'
    assert said_twice([("a", field)]) == []
    assert said_twice([("a", field), ("b", "def run(*, seed=4, jobs=3): ...")]) == []
    [default] = said_twice([("a", field), ("b", "def run(name, seed=3): ...")])
    assert default == "b: run(seed=3) is the default of a setting"
    option = 'x = typer.Option("--seed", help="Seed of the " "colours.")'
    assert said_twice([("a", field), ("b", option)]) == ["Seed of the colours.: a:1, b:1"]
    assert said_twice([("a", field), ("b", "HELP = 'Seed of the colours.'")])
