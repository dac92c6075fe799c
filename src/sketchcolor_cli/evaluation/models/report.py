"""An evaluation as one HTML page that needs nothing but itself: tables, plots, pictures."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.evaluation.models import plots
from sketchcolor_cli.evaluation.models.figures import FIGURES
from sketchcolor_cli.evaluation.models.skin import TONES
from sketchcolor_cli.evaluation.models.summary import Trial
from sketchcolor_cli.evaluation.settings import MEANING, Protocol
from sketchcolor_cli.files import html

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sketchcolor_cli.evaluation.models.summary import Difference, Evaluation, Summary

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
_FIRST = ("psnr", "lpips", "delta_e", "colorfulness_ratio", "hint_delta_e")
"""Figures of the overview; FID, where it was measured, comes after them."""

_DIRECTIONS = {"high": " ↑", "low": " ↓", None: ""}


def row_of(evaluation: Evaluation, model: str, protocol: Protocol) -> dict[str, str]:
    """Return the figures of a model under a protocol as people read them, by label."""
    cells = {}
    summary = evaluation.summaries[Trial(model, protocol)]
    for name, figure in FIGURES.items():
        if name not in summary:
            continue
        row = summary[name]
        cells[figure.label] = _mean(row, figure.digits)
        if name == "hint_delta_e":
            cells[f"{figure.label}, median picture"] = f"{row.median:.{figure.digits}f}"
    together = evaluation.sets[Trial(model, protocol)]
    for name, (label, digits) in SETS.items():
        if name in together:
            value = together[name] * (1000 if name == "kid" else 1)
            error = f" ± {1000 * together['kid_error']:.{digits}f}" if name == "kid" else ""
            cells[label] = f"{value:.{digits}f}{error}"
    return cells


def html_report(evaluation: Evaluation, *, title: str = "Evaluation of colour models", cases: int = 3) -> str:
    """Return the page; ``cases`` pictures each of the best, the middle and the worst by PSNR are shown."""
    protocols = evaluation.setup.protocols
    links = "".join(f'<a href="#{kind}">{_name(kind)}</a>' for kind in protocols)
    parts = [f"<nav>{links}</nav>", _overview(evaluation), _about(evaluation)]
    for kind in protocols:
        if not any(row.protocol == kind for row in evaluation.rows):
            parts.append(f'<h2 id="{kind}">{_name(kind)}</h2><p>No picture allows this protocol.</p>')
            continue
        parts.append(f'<h2 id="{kind}">{_name(kind)}</h2><p class="lead">Beside the sketch: ')
        parts.append(f"{escape(MEANING[kind])}.</p>")
        parts.append(_table(evaluation, kind))
        parts.append(_plots(evaluation, kind))
        parts.append(_pictures(evaluation, kind, cases))
    parts.append(_meanings(evaluation))
    return html.page(title, "".join(parts))


def _name(kind: Protocol) -> str:
    return {"none": "No hint", "other": "Another drawing", "points": "Points", "reference": "Reference"}[kind]


def _about(evaluation: Evaluation) -> str:
    setup = evaluation.setup
    facts = [
        ("pictures", str(setup.pictures)),
        ("lines", ", ".join(f"{count} {name}" for name, count in setup.sketches.items())),
        ("shorter side at most", f"{setup.short_side} pixels"),
        ("seed", str(setup.seed)),
        ("checksum of the data", setup.data[:16]),
        ("±", f"half the interval of {setup.interval}"),
    ]
    if setup.peak_memory_gb is not None:
        facts.append(("peak memory", f"{setup.peak_memory_gb:.2f} GB"))
    for name, model in evaluation.models.items():
        plain = ", ".join(f"{key} {_plain(value)}" for key, value in model.items() if value)
        facts.append((f"model {name}", plain))
    for name, what in setup.features.items():
        facts.append((SETS.get(name, (name, 0))[0], what))
    for name, what in setup.measured_with.items():
        facts.append((FIGURES[name].label, what))
    if evaluation.unreadable:
        named = "; ".join(name for name, _ in evaluation.unreadable[:5])
        facts.append(("not readable", f"{len(evaluation.unreadable)}: {named}"))
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f"<h3>How it was measured</h3><dl>{rows}</dl>"


def _overview(evaluation: Evaluation) -> str:
    """Return a table of the figures that one looks at first, a row for each protocol and model."""
    models = list(evaluation.models)
    names = [name for name in _FIRST if any(name in figures for figures in evaluation.summaries.values())]
    fid = any("fid" in distances for distances in evaluation.sets.values())
    head = "".join(f"<th>{escape(_directed(name))}</th>" for name in names) + (
        "<th>FID ↓</th>" if fid else ""
    )
    lines = []
    for kind in evaluation.setup.protocols:
        for number, model in enumerate(models):
            summary = evaluation.summaries[Trial(model, kind)]
            if not summary:
                continue
            differences = evaluation.comparisons.get(Trial(model, kind), {})
            cells = "".join(
                f'<td class="{differences[name].verdict if name in differences else ""}">'
                f"{_mean(summary[name], FIGURES[name].digits) if name in summary else '–'}</td>"
                for name in names
            )
            value = evaluation.sets[Trial(model, kind)].get("fid")
            cells += f"<td>{'–' if value is None else f'{value:.1f}'}</td>" if fid else ""
            called = f'<a href="#{kind}">{_name(kind)}</a>' if number == 0 else ""
            begun = f"<th>{called}</th><td>{_swatched(model, number, models)}</td><td>{_most(summary)}</td>"
            lines.append(f"<tr>{begun}{cells}</tr>")
    table = f"<table><tr><th></th><th>model</th><th>n</th>{head}</tr>{''.join(lines)}</table>"
    notes = ["± is half the 95 per cent interval of the mean."]
    if evaluation.comparisons:
        notes.append(
            f"Green is better and red worse than {escape(models[0])} on the same pictures: the interval of "
            "the difference excludes 0, which by chance happens to one figure in twenty."
        )
    if fid:
        notes.append("FID of so few pictures is too large, and can be compared for equal numbers only.")
    return f'<div class="wide overview">{table}</div><p class="note">{" ".join(notes)}</p>'


def _directed(name: str) -> str:
    """Return a figure's label with an arrow to where it is better."""
    figure = FIGURES[name]
    good = figure.good
    return figure.label + (_DIRECTIONS[good] if good is None or isinstance(good, str) else f" → {good:g}")


def _swatched(model: str, number: int, models: Sequence[str]) -> str:
    """Return a model's name, with the colour that it has in plots where there are several."""
    swatch = f'<i class="swatch s{number % 4}"></i>' if len(models) > 1 else ""
    return f"{swatch}{escape(model)}"


def _mean(row: Summary, digits: int) -> str:
    return f"{row.mean:z.{digits}f} ± {(row.high - row.low) / 2:.{digits}f}"


def _most(summary: Mapping[str, Summary]) -> int:
    """Return of how many pictures the figures are that all have."""
    return max(row.n for row in summary.values())


def _plain(value: Any) -> str:
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else str(value)


def _table(evaluation: Evaluation, kind: Protocol) -> str:
    models = list(evaluation.models)
    columns = {model: row_of(evaluation, model, kind) for model in models}
    labels = list(dict.fromkeys(label for column in columns.values() for label in column))
    named = {figure.label: name for name, figure in FIGURES.items()}
    head = "".join(f"<th>{_swatched(model, number, models)}</th>" for number, model in enumerate(models))
    head += "".join(f"<th>{escape(model)} − {escape(models[0])}</th>" for model in evaluation.compared)
    lines = []
    for label in labels:
        name = named.get(label, "")
        by_model = [evaluation.summaries[Trial(model, kind)] for model in models]
        counts = [figures[name].n for figures in by_model if name in figures]
        cells = f"<td class=unclear>{max(counts) if counts else ''}</td>"
        cells += "".join(f"<td>{escape(columns[model].get(label, '–'))}</td>" for model in models)
        for model in evaluation.compared:
            difference = evaluation.comparisons[Trial(model, kind)].get(name)
            cells += _difference(difference, FIGURES[name].digits) if difference else "<td></td>"
        lines.append(f"<tr><th>{escape(_directed(name) if name else label)}</th>{cells}</tr>")
    return f'<div class="wide"><table><tr><th></th><th>n</th>{head}</tr>{"".join(lines)}</table></div>'


def _difference(difference: Difference, digits: int) -> str:
    mean, low, high = (
        f"{value:+z.{digits}f}" for value in (difference.mean, difference.low, difference.high)
    )
    verdict = "" if difference.verdict == "unclear" else f" {difference.verdict}"
    return f'<td class="{difference.verdict}">{mean} <small>[{low}, {high}]</small>{verdict}</td>'


def _plots(evaluation: Evaluation, kind: Protocol) -> str:
    models = list(evaluation.models)
    drawn = [
        plots.strips(
            "PSNR of each picture, dB",
            {model: list(evaluation.of(model, kind, "psnr").values()) for model in models},
        ),
        plots.bars(
            "ΔE00 on skin-coloured areas, by tone (pictures)",
            {(model if len(models) > 1 else ""): _tones(evaluation, model, kind) for model in models},
        ),
    ]
    colors = {}
    for model in models:
        result, ratio = (evaluation.of(model, kind, name) for name in ("colorfulness", "colorfulness_ratio"))
        colors[model] = [(result[key] / ratio[key], result[key]) for key in ratio if ratio[key] > 0]
    drawn.append(plots.scatter("Colourfulness", "truth", "result", colors))
    return f'<div class="plots">{"".join(f"<figure>{plot}</figure>" for plot in drawn if plot)}</div>'


def _tones(evaluation: Evaluation, model: str, kind: Protocol) -> list[tuple[str, float, float, float]]:
    summary = evaluation.summaries[Trial(model, kind)]
    found = [(tone, summary.get(f"skin_{tone}")) for tone in TONES]
    return [(f"{tone} ({row.n})", row.mean, row.low, row.high) for tone, row in found if row]


def _pictures(evaluation: Evaluation, kind: Protocol, cases: int) -> str:
    models = list(evaluation.models)
    ranked = sorted(evaluation.of(models[0], kind, "psnr").items(), key=lambda item: -item[1])
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
            of_first = f" of {escape(models[0])}" if len(models) > 1 else ""
            parts.append(f"<h3>The {name} by PSNR{of_first}</h3>{''.join(rows)}")
    return "".join([*parts, *_differing(evaluation, kind, models)])


def _differing(evaluation: Evaluation, kind: Protocol, models: Sequence[str]) -> Iterator[str]:
    """Give for each other model the pictures that it gains and loses most on."""
    first = evaluation.of(models[0], kind, "psnr")
    for model in models[1:]:
        other = evaluation.of(model, kind, "psnr")
        gains = sorted(
            ((other[key] - value, key) for key, value in first.items() if key in other), reverse=True
        )
        for word, found in (("gains", gains[:2]), ("loses", gains[:-3:-1])):
            rows = [
                _case(evaluation, kind, key, models) for gain, key in found if (gain > 0) == (word == "gains")
            ]
            if rows:
                yield f"<h3>Where {escape(model)} {word} most</h3>{''.join(rows)}"


def _case(evaluation: Evaluation, kind: Protocol, key: str, models: Sequence[str]) -> str:
    shown = [evaluation.shown.get((model, kind, key)) for model in models]
    first = next(picture for picture in shown if picture is not None)
    cells = [("sketch", first.sketch)]
    if first.given is not None:
        cells.append(("given", first.given))
    for model, picture in zip(models, shown, strict=True):
        if picture is not None:
            value = evaluation.of(model, kind, "psnr")[key]
            cells.append((f"{model if len(models) > 1 else 'result'}, {value:.1f} dB", picture.result))
    cells.append(("truth", first.truth))
    pictures = "".join(
        f'<figure><img src="{html.embedded(rgb)}" alt="{escape(label)}" loading="lazy">'
        f"<figcaption>{escape(label)}</figcaption></figure>"
        for label, rgb in cells
    )
    return f'<div class="case"><div class="key">{escape(key)}</div><div class="row">{pictures}</div></div>'


def _meanings(evaluation: Evaluation) -> str:
    used = {name for row in evaluation.rows for name in row.figures}
    rows = "".join(
        f"<dt>{escape(figure.label)}</dt><dd>{escape(figure.meaning)}</dd>"
        for name, figure in FIGURES.items()
        if name in used
    )
    note = (
        "Arrows say what is better: ↑ more, ↓ less, → 1 near 1. n is the number of pictures that have "
        "the figure. Skin figures are of skin-coloured areas, which wood, earth and hair can be, too. "
        "Distances of sets depend on the number of pictures: compare equal numbers only."
    )
    return f'<h2>What the figures mean</h2><dl>{rows}</dl><p class="note">{note}</p>'
