"""An evaluation as one HTML page that needs nothing but itself: tables, plots, pictures."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import webpage
from sketchcolor_cli.evaluation import plots
from sketchcolor_cli.evaluation.config import MEANING, Protocol
from sketchcolor_cli.evaluation.figures import FIGURES
from sketchcolor_cli.evaluation.skin import TONES

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    parts = [_about(evaluation)]
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
    return webpage.page(title, "".join(parts))


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
    for name, what in protocol["measured_with"].items():
        facts.append((FIGURES[name].label, what))
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
        f'<figure><img src="{webpage.embedded(rgb)}" alt="{escape(label)}" loading="lazy">'
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
