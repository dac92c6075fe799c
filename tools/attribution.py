"""Print the attributions of the training pictures as the model card has them.

    python tools/attribution.py attribution.csv > table.md

The CSV has a row per picture: split, source, author, licence. What the training leaves out is left out.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from sources import LEFT_OUT


def main() -> None:
    sources: dict[str, tuple[list[str], dict[str, None], dict[str, None]]] = {}
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == "train" and row["source"] not in LEFT_OUT:
                keys, licences, authors = sources.setdefault(row["source"], ([], {}, {}))
                keys.append(row["key"])
                licences |= dict.fromkeys(name.strip() for name in row["licence"].split(";"))
                authors |= dict.fromkeys(name.strip() for name in row["author"].split(";"))
    print("| source | pictures | licence | by |\n|---|---|---|---|")
    for name, (keys, licences, authors) in sorted(sources.items()):
        print(f"| {name} | {len(keys)} | {'; '.join(licences)} | {'; '.join(authors).replace('|', '/')} |")


if __name__ == "__main__":
    main()
