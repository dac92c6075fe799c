"""Small plots as SVG, in the colours of the page that they stand on."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH, _LEFT, _RIGHT = 380, 104, 16


def strips(title: str, rows: Mapping[str, Sequence[float]], *, digits: int = 1) -> str:
    """Draw each row's values as dots on one axis, with a line at the median."""
    rows = {name: values for name, values in rows.items() if values}
    if not rows:
        return ""
    low, high = _range([value for values in rows.values() for value in values])
    step = max(34, 120 // len(rows))  # a single row has room to show where its dots crowd
    height = 26 + step * len(rows) + 26
    parts = []
    for number, (name, values) in enumerate(rows.items()):
        middle = 26 + step * number + step // 2
        parts.append(_text(_LEFT - 8, middle + 4, _short(name, 16), "end"))
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{middle}" y2="{middle}" class="rule"/>')
        for place, value in enumerate(values):
            up = (place * 7919 % 17 - 8) / 40 * step  # apart, always in the same way
            parts.append(
                f'<circle cx="{_at(value, low, high):.1f}" cy="{middle + up:.1f}" r="2.6" '
                f'class="dot s{number % 4}"/>'
            )
        median = sorted(values)[len(values) // 2]
        x = _at(median, low, high)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{middle - step * 0.4:.1f}" '
            f'y2="{middle + step * 0.4:.1f}" class="mark"/>'
        )
    return _figure(title, height, parts + _axis(low, high, height - 20, digits))


def bars(
    title: str, rows: Mapping[str, Sequence[tuple[str, float, float, float]]], *, digits: int = 1
) -> str:
    """Draw groups of bars from 0: of each row (label, mean, low, high), the last two as a whisker."""
    every = [value for group in rows.values() for _, mean, low, high in group for value in (mean, low, high)]
    if not every:
        return ""
    low, high = min(0.0, *every), max(0.0, *every)
    high += (high - low or 1) * 0.05
    parts, top = [], 26
    for number, (name, group) in enumerate(rows.items()):
        if name and group:  # a heading over the group's bars
            parts.append(_text(_LEFT, top + 12, name, "start"))
            top += 18
        for label, mean, least, most in group:
            middle = top + 10
            x0, x1 = sorted((_at(0, low, high), _at(mean, low, high)))
            parts.append(_text(_LEFT - 8, middle + 4, label, "end"))
            parts.append(
                f'<rect x="{x0:.1f}" y="{middle - 6}" width="{max(1.0, x1 - x0):.1f}" height="12" rx="2" '
                f'class="bar s{number % 4}"/>'
            )
            a, b = _at(least, low, high), _at(most, low, high)
            parts.append(f'<line x1="{a:.1f}" x2="{b:.1f}" y1="{middle}" y2="{middle}" class="mark"/>')
            top += 20
        top += 8
    return _figure(title, top + 22, parts + _axis(low, high, top, digits))


def scatter(title: str, across: str, up: str, rows: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw points (x, y) on equal axes from 0, with the diagonal."""
    every = [value for points in rows.values() for point in points for value in point]
    if not every:
        return ""
    most, size, left, top = max(every) * 1.05 or 1.0, 210, 60, 26

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x / most * size, top + size - y / most * size

    parts = [f'<rect x="{left}" y="{top}" width="{size}" height="{size}" class="frame"/>']
    parts.append(f'<line x1="{left}" y1="{top + size}" x2="{left + size}" y2="{top}" class="rule"/>')
    for number, (name, points) in enumerate(rows.items()):
        for x, y in points:
            cx, cy = place(x, y)
            parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="2.6" class="dot s{number % 4}"/>')
        parts.append(
            f'<circle cx="{left + size + 22}" cy="{top + 10 + 20 * number}" r="5" class="s{number % 4}"/>'
        )
        parts.append(_text(left + size + 34, top + 14 + 20 * number, _short(name, 12), "start"))
    for value in (0.0, most / 2, most):
        x, y = place(value, value)
        parts.append(_text(x, top + size + 16, f"{value:.0f}", "middle"))
        parts.append(_text(left - 6, y + 4, f"{value:.0f}", "end"))
    parts.append(_text(left + size / 2, top + size + 34, across, "middle"))
    middle = top + size / 2
    parts.append(
        f'<text x="18" y="{middle}" text-anchor="middle" transform="rotate(-90 18 {middle})">'
        f"{escape(up)}</text>"
    )
    return _figure(title, top + size + 46, parts)


def _figure(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f'<text x="{_WIDTH / 2}" y="14" text-anchor="middle" class="title">{escape(title)}</text>'
        f"{''.join(parts)}</svg>"
    )


def _axis(low: float, high: float, y: float, digits: int) -> list[str]:
    values = [low + (high - low) * step / 4 for step in range(5)]
    ticks = [_text(_at(value, low, high), y + 14, f"{value:.{digits}f}", "middle") for value in values]
    return [f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" class="axis"/>', *ticks]


def _at(value: float, low: float, high: float) -> float:
    return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.04 or 1.0
    return low - room, high + room


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
