"""Lines where the brightness of a picture changes."""

from sketchcolor_cli import Extractor, Parameter, hookimpl


@hookimpl
def sketchcolor_extractors():
    """Declare the extractor "edges"."""
    return [
        Extractor(
            name="edges",
            summary="Lines where the brightness changes.",
            load=load,
            parameters=(Parameter("strength", 4.0, "How dark a line gets for a change in brightness."),),
            margin=1,
        )
    ]


def load(resources):
    """Return the function that draws."""
    from torch import hypot
    from torch.nn.functional import pad

    strength = resources.parameters["strength"]
    if strength <= 0:
        raise ValueError("strength is above 0")

    def draw(rgb):
        gray = pad(rgb.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
        right = gray[..., 1:-1, 2:] - gray[..., 1:-1, :-2]
        down = gray[..., 2:, 1:-1] - gray[..., :-2, 1:-1]
        return (1 - strength * hypot(right, down)).clamp(0, 1)

    return draw
