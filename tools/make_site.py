"""Build the documentation site into build/site/; every warning, such as a dead link, is an error.

    pip install -e '.[docs]'
    python tools/make_site.py            # and then: python -m http.server -d build/site

README is its first page, and the cards of the bundled models are pages of it; both are gathered here, so that
nothing is written twice. Needs no network: the theme loads neither fonts nor scripts from elsewhere.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GATHERED, SITE = ROOT / "build" / "docs", ROOT / "build" / "site"
CARDS = "src/sketchcolor_cli/networks/bundled/"
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "SECURITY.md": "reporting.md"}
"""Pages that lie beside docs/, and what they are called on the site."""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_FOREIGN = re.compile(r"""<(?:script|link|img|iframe)[^>]*?(?:src|href)=["']?(https?:)?//[^"'\s>]+""")


def main() -> None:
    """Gather the pages, build them, and look for what would be loaded from elsewhere."""
    gather()
    build = ["-m", "zensical", "build", "--clean", "--strict", "-f", str(ROOT / "zensical.toml")]
    if subprocess.run([sys.executable, *build], cwd=ROOT).returncode:
        sys.exit("the site was not built; the warnings above say why")
    foreign = [f"{page}: {link}" for page in sorted(SITE.rglob("*.html")) for link in foreign_parts(page)]
    if foreign:
        sys.exit("loaded from elsewhere:\n" + "\n".join(foreign))
    print(f"{len(list(SITE.rglob('*.html')))} pages in {SITE.relative_to(ROOT)}/")


def gather() -> None:
    """Lay all pages and their pictures into one folder."""
    shutil.rmtree(GATHERED, ignore_errors=True)
    shutil.copytree(ROOT / "docs", GATHERED)
    code = shutil.ignore_patterns("*.safetensors", "*.py", "__pycache__")
    shutil.copytree(ROOT / CARDS, GATHERED / "cards", ignore=code)
    for source, name in PAGES.items():
        shutil.copy(ROOT / source, GATHERED / name)
    for page in GATHERED.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(moved(text, up=len(page.relative_to(GATHERED).parts) - 1), encoding="utf-8")


def moved(text: str, up: int) -> str:
    """Return a page with its links as they are on the site; ``up`` is how many folders deep it lies."""
    return _LINK.sub(lambda found: _moved_link(found[1], found[2], found[3], up), text)


def _moved_link(mark: str, text: str, target: str, up: int) -> str:
    path, hash_, section = target.partition("#")
    if ":" in path or not path:
        return f"{mark}[{text}]({target})"
    plain = re.sub(r"^(\.\./)+", "", path)
    above = path.startswith("../" * (up + 1))  # out of docs/
    for source, name in PAGES.items():
        if plain == source and (above or not path.startswith("../")):
            return f"{mark}[{text}]({'../' * up}{name}{hash_}{section})"
    if plain.startswith(CARDS):
        return f"{mark}[{text}]({'../' * up}cards/{plain.removeprefix(CARDS)}{hash_}{section})"
    if plain.startswith("docs/") and not above:  # from README
        return f"{mark}[{text}]({plain.removeprefix('docs/')}{hash_}{section})"
    if above or plain in ("LICENSE", "CONTRIBUTING.md", "tools/default.toml"):  # not on the site
        return text
    return f"{mark}[{text}]({target})"


def foreign_parts(page: Path) -> list[str]:
    """Return what a page of the site would load from another server."""
    return [found.group() for found in _FOREIGN.finditer(page.read_text(encoding="utf-8"))]


if __name__ == "__main__":
    main()
