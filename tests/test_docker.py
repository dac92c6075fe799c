"""The Dockerfiles, which nobody builds here: what they copy is there, what they run is real, none is root."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from sketchcolor_cli import environment
from test_documented_commands import check

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "docker").glob("*/Dockerfile"))
KNOWN = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}

pytestmark = pytest.mark.parametrize("file", FILES, ids=[path.parent.name for path in FILES])


class Step(NamedTuple):
    """An instruction and what stands after it."""

    name: str
    rest: str


def steps(file: Path) -> list[Step]:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [Step(*line.split(maxsplit=1)) for line in joined.splitlines() if line]


def stages(file: Path) -> list[list[Step]]:
    """Return the steps from each FROM on; only those of the last are in the image."""
    found: list[list[Step]] = []
    for step in steps(file):
        if step.name == "FROM":
            found.append([])
        found[-1].append(step)
    return found


def in_context(path: Path) -> bool:
    """Return whether .dockerignore lets a path of the project through: its last rule that fits counts."""
    let_through = True
    for rule in (ROOT / ".dockerignore").read_text(encoding="utf-8").split():
        pattern = rule.removeprefix("!")
        names = [str(folder) for folder in (path, *path.parents)]
        if any(fnmatch.fnmatch(name, pattern) for name in names):
            let_through = rule.startswith("!")
    return let_through


def test_instructions_are_known_ones(file: Path) -> None:
    assert {step.name for step in steps(file)} == KNOWN


def test_what_is_copied_is_there_and_lies_in_the_context(file: Path) -> None:
    copied = [step.rest.split() for step in steps(file) if step.name == "COPY"]
    sources = [Path(word) for words in copied if not words[0].startswith("--from=") for word in words[:-1]]
    assert len(sources) >= 5
    for source in sources:
        assert (ROOT / source).exists(), source
        assert in_context(source), source
    assert not in_context(Path("tests"))
    names = {step.rest.split(" AS ")[1] for step in steps(file) if " AS " in step.rest}
    assert {words[0].removeprefix("--from=") for words in copied if words[0].startswith("--from=")} == names


def test_a_build_has_all_that_the_package_is_made_of(file: Path) -> None:
    copied = {word for step in steps(file) if step.name == "COPY" for word in step.rest.split()}
    for name in ("pyproject.toml", "README.md", "LICENSE", "docs/sketchcolor.1", "plugins", "src"):
        assert name in copied


def test_it_serves_by_default_and_the_command_is_real(file: Path) -> None:
    [command] = [json.loads(step.rest) for step in stages(file)[-1] if step.name == "CMD"]
    check(shlex.join(command))
    assert command[:2] == ["sketchcolor", "serve"]
    [port] = [step.rest for step in stages(file)[-1] if step.name == "EXPOSE"]
    assert command[command.index("--port") + 1] == port


def test_nobody_is_root_and_somebody_asks_how_it_is(file: Path) -> None:
    last = stages(file)[-1]
    order = [step.name for step in last]
    assert "USER" in order[: order.index("CMD")]
    assert "RUN" not in order[order.index("USER") :]
    assert next(step.rest for step in last if step.name == "USER") not in ("root", "0")
    [health] = [step.rest for step in last if step.name == "HEALTHCHECK"]
    [port] = [step.rest for step in last if step.name == "EXPOSE"]
    _, flag, program = json.loads(health.partition("CMD ")[2])
    assert flag == "-c"
    compile(program, "health", "exec")
    assert f"127.0.0.1:{port}/healthz" in program


def test_variables_are_those_that_are_read(file: Path) -> None:
    read = {environment.CACHE, environment.MODELS, environment.PROJECTS, environment.WEIGHTS}
    said = {word.split("=")[0] for step in steps(file) if step.name == "ENV" for word in step.rest.split()}
    assert {name for name in said if name.startswith("SKETCHCOLOR_")} == read


def test_compose_builds_one_of_them(file: Path) -> None:
    about = yaml.safe_load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))
    [service] = about["services"].values()
    assert (ROOT / service["build"]["dockerfile"]) in FILES
    assert (ROOT / "docker" / service["build"]["context"]).resolve() == ROOT
    [port] = [step.rest for step in steps(file) if step.name == "EXPOSE"]
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert "SKETCHCOLOR_SERVE_TOKEN" in service["environment"]
