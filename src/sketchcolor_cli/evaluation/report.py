"""An evaluation as one HTML page that needs nothing but itself: tables, plots, pictures."""

from __future__ import annotations

import base64
import uuid
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.evaluation import plots
from sketchcolor_cli.evaluation.config import MEANING, Protocol
from sketchcolor_cli.evaluation.figures import FIGURES
from sketchcolor_cli.evaluation.skin import TONES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sketchcolor_cli.evaluation.run import Evaluation

SETS = {
    "fid": ("FID", 2),
    "kid": ("KID × 1000", 2),
    "frechet": ("Fréchet distance, bundled features", 4),
    "colorfulness_of_all": ("colourfulness, all results to all truths", 2),
    "skin_dark_to_light": ("skin error, dark to light", 2),
    "nearer_than_without": ("histogram nearer than without, share", 2),
}
"""Figures that pictures have together only: label and digits."""

_CASES = ("best", "median", "worst")


def row_of(evaluation: Evaluation, model: str, protocol: str) -> dict[str, str]:
    """Return the figures of a model under a protocol as people read them, by label."""
    cells = {}
    summary = evaluation.summaries[model][protocol]
    for name, figure in FIGURES.items():
        if name not in summary:
            continue
        one = summary[name]
        if name == "hint_delta_e":
            cells[f"{figure.label}, median"] = f"{one['median']:.{figure.digits}f}"
            continue
        half = (one["high"] - one["low"]) / 2
        cells[figure.label] = f"{one['mean']:.{figure.digits}f} ± {half:.{figure.digits}f}"
    together = evaluation.sets[model][protocol]
    for name, (label, digits) in SETS.items():
        if name in together:
            value = together[name] * (1000 if name == "kid" else 1)
            error = f" ± {1000 * together['kid_error']:.{digits}f}" if name == "kid" else ""
            cells[label] = f"{value:.{digits}f}{error}"
    return cells


def html_report(evaluation: Evaluation, *, title: str = "Evaluation of colour models", cases: int = 3) -> str:
    """Return the page; ``cases`` pictures each of the best, the middle and the worst by PSNR are shown."""
    protocol = evaluation.protocol
    parts = [f"<h1>{escape(title)}</h1>", _about(evaluation)]
    for kind in protocol["protocols"]:
        if not any(row.protocol == kind for row in evaluation.rows):
            parts.append(f'<h2 id="{kind}">{_name(kind)}</h2><p>No picture allows this protocol.</p>')
            continue
        parts.append(f'<h2 id="{kind}">{_name(kind)}</h2><p class="lead">Beside the sketch: ')
        parts.append(f"{escape(MEANING[Protocol(kind)])}.</p>")
        parts.append(_table(evaluation, kind))
        parts.append(_plots(evaluation, kind))
        parts.append(_pictures(evaluation, kind, cases))
    parts.append(_meanings(evaluation))
    return _PAGE.format(title=escape(title), body="".join(parts), style=_STYLE)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all, making its folder if need be.

    Raises:
        DataError: it cannot be written.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}); choose a writable folder") from error


def _name(kind: str) -> str:
    return {"none": "No hint", "other": "Another drawing", "points": "Points", "reference": "Reference"}[kind]


def _about(evaluation: Evaluation) -> str:
    protocol = evaluation.protocol
    facts = [
        ("pictures", str(protocol["pictures"])),
        ("lines", ", ".join(f"{count} {name}" for name, count in protocol["sketches"].items())),
        ("shorter side at most", f"{protocol['short_side']} pixels"),
        ("seed", str(protocol["seed"])),
        ("data", protocol["data"][:16]),
        ("±", f"half the interval of {protocol['interval']}"),
    ]
    if protocol.get("peak_memory_gb"):
        facts.append(("peak memory", f"{protocol['peak_memory_gb']:.2f} GB"))
    for name, about in evaluation.models.items():
        said = ", ".join(f"{key} {value}" for key, value in about.items() if value)
        facts.append((f"model {name}", said))
    for name, what in protocol["features"].items():
        facts.append((SETS.get(name, (name, 0))[0], what))
    if evaluation.unreadable:
        named = "; ".join(name for name, _ in evaluation.unreadable[:5])
        facts.append(("not readable", f"{len(evaluation.unreadable)}: {named}"))
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    links = "".join(f'<a href="#{kind}">{_name(kind)}</a>' for kind in protocol["protocols"])
    return f"<nav>{links}</nav><dl>{rows}</dl>"


def _table(evaluation: Evaluation, kind: str) -> str:
    models = list(evaluation.models)
    columns = {model: row_of(evaluation, model, kind) for model in models}
    labels = list(dict.fromkeys(label for column in columns.values() for label in column))
    verdicts = {
        model: {FIGURES[name].label: one for name, one in by_kind[kind].items()}
        for model, by_kind in evaluation.comparisons.items()
    }
    head = "".join(f"<th>{escape(model)}</th>" for model in models)
    head += "".join(f"<th>{escape(model)} − {escape(models[0])}</th>" for model in verdicts)
    lines = []
    for label in labels:
        cells = "".join(f"<td>{escape(columns[model].get(label, '–'))}</td>" for model in models)
        for compared in verdicts.values():
            one = compared.get(label.removesuffix(", median"))
            cells += _difference(one) if one else "<td>–</td>"
        lines.append(f"<tr><th>{escape(label)}</th>{cells}</tr>")
    return f'<div class="wide"><table><tr><th></th>{head}</tr>{"".join(lines)}</table></div>'


def _difference(one: dict[str, Any]) -> str:
    said = f"{one['mean']:+.3g} [{one['low']:+.3g}, {one['high']:+.3g}]"
    return f'<td class="{one["verdict"]}">{said} {"" if one["verdict"] == "unclear" else one["verdict"]}</td>'


def _plots(evaluation: Evaluation, kind: str) -> str:
    models = list(evaluation.models)
    drawn = [
        plots.strips(
            "PSNR of each picture, dB",
            {one: list(evaluation.of(one, kind, "psnr").values()) for one in models},
        ),
        plots.bars(
            "ΔE00 on skin-coloured areas, by tone",
            {(one if len(models) > 1 else ""): _tones(evaluation, one, kind) for one in models},
        ),
    ]
    colors = {}
    for one in models:
        result, ratio = (evaluation.of(one, kind, name) for name in ("colorfulness", "colorfulness_ratio"))
        colors[one] = [(result[key] / ratio[key], result[key]) for key in ratio if ratio[key] > 0]
    drawn.append(plots.scatter("Colourfulness", "truth", "result", colors))
    return f'<div class="plots">{"".join(f"<figure>{one}</figure>" for one in drawn if one)}</div>'


def _tones(evaluation: Evaluation, model: str, kind: str) -> list[tuple[str, float, float, float]]:
    summary = evaluation.summaries[model][kind]
    found = [(tone, summary.get(f"skin_{tone}")) for tone in TONES]
    return [(f"{tone} ({one['n']})", one["mean"], one["low"], one["high"]) for tone, one in found if one]


def _pictures(evaluation: Evaluation, kind: str, cases: int) -> str:
    models = list(evaluation.models)
    ranked = sorted(evaluation.of(models[0], kind, "psnr").items(), key=lambda one: -one[1])
    keys = [key for key, _ in ranked]
    if not keys:
        return ""
    middle = max(0, (len(keys) - cases) // 2)
    groups = [keys[:cases], keys[middle : middle + cases], keys[-cases:]]
    parts = []
    taken: set[str] = set()
    for name, group in zip(_CASES, groups, strict=True):
        rows = [_case(evaluation, kind, key, models) for key in group if key not in taken]
        taken.update(group)
        if rows:
            parts.append(f"<h3>The {name} by PSNR</h3>{''.join(rows)}")
    return "".join(parts)


def _case(evaluation: Evaluation, kind: str, key: str, models: Sequence[str]) -> str:
    shown = [evaluation.shown.get((model, kind, key)) for model in models]
    first = next(one for one in shown if one is not None)
    cells = [("sketch", first.sketch)]
    if first.given is not None:
        cells.append(("given", first.given))
    for model, one in zip(models, shown, strict=True):
        if one is not None:
            value = evaluation.of(model, kind, "psnr")[key]
            cells.append((f"{model if len(models) > 1 else 'result'}, {value:.1f} dB", one.result))
    cells.append(("truth", first.truth))
    pictures = "".join(
        f'<figure><img src="{_embedded(rgb)}" alt="{escape(label)}" loading="lazy">'
        f"<figcaption>{escape(label)}</figcaption></figure>"
        for label, rgb in cells
    )
    return f'<div class="case"><div class="key">{escape(key)}</div><div class="row">{pictures}</div></div>'


def _meanings(evaluation: Evaluation) -> str:
    used = {name for row in evaluation.rows for name in row.figures}
    rows = "".join(
        f"<dt>{escape(one.label)}</dt><dd>{escape(one.meaning)}</dd>"
        for name, one in FIGURES.items()
        if name in used
    )
    note = (
        "Skin figures are of skin-coloured areas, which wood, earth and hair can be, too. Distances of sets "
        "depend on the number of pictures: compare equal numbers only."
    )
    return f"<h2>What the figures mean</h2><dl>{rows}</dl><p>{note}</p>"


def _embedded(rgb: Any) -> str:
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "WEBP", quality=82)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


_STYLE = """
:root{--ink:#22252b;--soft:#6b7280;--line:#e3e5ea;--paper:#fff;--ground:#f6f6f8;
--s0:#3b6fd4;--s1:#d9652b;--s2:#2f9e6e;--s3:#a04bc0;--good:#1d7a4f;--bad:#b3372b}
@media (prefers-color-scheme:dark){:root{--ink:#e7e8ec;--soft:#9aa1ad;--line:#363a43;--paper:#1e2127;
--ground:#16181d;--s0:#7aa2f7;--s1:#f0965c;--s2:#58c99a;--s3:#c98be0;--good:#58c99a;--bad:#f08b80}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
main{max-width:1120px;margin:0 auto;padding:36px 24px 80px}
h1{font-size:28px;margin:0 0 12px;letter-spacing:-.01em}
h2{font-size:21px;margin:52px 0 4px;padding-top:16px;border-top:1px solid var(--line)}
h3{font-size:15px;margin:26px 0 8px;color:var(--soft);font-weight:600}
.lead{color:var(--soft);margin:0 0 16px}
nav{display:flex;gap:8px;flex-wrap:wrap;margin:0 0 20px}
nav a{color:var(--ink);text-decoration:none;border:1px solid var(--line);background:var(--paper);
border-radius:99px;padding:3px 14px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;background:var(--paper);
border:1px solid var(--line);border-radius:10px;padding:14px 18px;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto;background:var(--paper);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:5px 16px;border-bottom:1px solid var(--line);white-space:nowrap}
tr:last-child>*{border-bottom:0}tr>th:first-child{text-align:left;font-weight:500}
td.better{color:var(--good)}td.worse{color:var(--bad)}td.unclear{color:var(--soft)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:14px;margin:18px 0;
align-items:start}
.plots figure{margin:0;background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:12px}
svg{width:100%;height:auto;font:11px system-ui,sans-serif}svg text{fill:var(--soft)}
svg .title{font-size:13px;fill:var(--ink);font-weight:600}
.axis{stroke:var(--soft)}.rule{stroke:var(--line)}.frame{fill:none;stroke:var(--line)}
.mark{stroke:var(--ink);stroke-width:2}.dot{fill-opacity:.6}
.s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}
.case{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:10px 14px 12px;
margin:0 0 12px}
.key{color:var(--soft);font-size:12px;margin-bottom:6px;overflow-wrap:anywhere}
.row{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;align-items:start}
.row figure{margin:0}.row img{width:100%;max-height:300px;object-fit:contain;border-radius:6px;
background:#fff;border:1px solid var(--line)}
figcaption{text-align:center;font-size:12px;color:var(--soft);margin-top:2px}
"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head><body><main>{body}</main></body></html>
"""
