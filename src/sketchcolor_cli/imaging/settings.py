"""How pictures are written; the only place where these defaults, bounds and help stand."""

from __future__ import annotations

from dataclasses import dataclass

from sketchcolor_cli.settings import Settings, setting

SUBSAMPLINGS = ("444", "422", "420")


@dataclass(frozen=True)
class Saving(Settings):
    """What JPEG, WebP and AVIF, which leave something out, are to keep."""

    quality: int = setting(
        95,
        "Quality of JPEG, WebP and AVIF; a WebP of 100 is lossless. JPEG changes the page's ink by 3 of 255 "
        "at 95 and by 0.3 at 100; PNG keeps it.",
        least=0,
        most=100,
    )
    subsampling: str = setting(
        "444",
        "Resolution of colour in JPEG and AVIF: 444 is full, 422 and 420 make smaller files with colour that "
        "bleeds across sharp lines.",
        choices=SUBSAMPLINGS,
    )
