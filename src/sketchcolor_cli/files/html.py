"""Pages for the browser that need nothing but themselves: one look, pictures inside, no outside links."""

from __future__ import annotations

import base64
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.atomic import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

STYLE = """
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
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:14px;margin:18px 0}
.plots figure{display:flex;align-items:center;margin:0;
background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:12px}
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
small{color:var(--soft);font-size:.88em}
.note{color:var(--soft);font-size:13px;margin:10px 2px 0}
.swatch{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:7px}
.swatch.s0{background:var(--s0)}.swatch.s1{background:var(--s1)}.swatch.s2{background:var(--s2)}
.swatch.s3{background:var(--s3)}
.overview td:nth-child(2){text-align:left}.overview a{color:inherit;text-underline-offset:3px}
.overview tr:first-child th{white-space:normal;vertical-align:bottom}
.wide tr>th:first-child{position:sticky;left:0;background:var(--paper)}
@media (max-width:600px){main{padding:22px 14px 60px}h1{font-size:23px}h2{margin-top:36px}
dl{grid-template-columns:1fr;gap:0;padding:12px 14px}dd{margin:0 0 8px}
th,td{padding:5px 10px;font-size:13px}.wide tr>th:first-child{max-width:132px;white-space:normal}
.plots{grid-template-columns:1fr}.row{grid-template-columns:repeat(auto-fit,minmax(118px,1fr));gap:8px}}
"""


def page(title: str, body: str, *, script: str = "") -> str:
    """Return a whole page; ``body`` and ``script`` are put in as they are."""
    code = f"<script>{script}</script>" if script else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main>{code}</body></html>\n"
    )


def embedded(rgb: NDArray[np.uint8], *, quality: int = 82) -> str:
    """Return a picture (H, W, 3) as what stands in ``src``."""
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "WEBP", quality=quality)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def write_text(path: Path, text: str) -> None:
    r"""Write a text file in UTF-8, whole or not at all, making its folder if need be.

    What is not Unicode, as in names of files with other bytes, is written as ``\udce9``.

    Raises:
        DataError: it cannot be written.
    """
    write_bytes(path, text.encode(errors="backslashreplace"), DataError)
