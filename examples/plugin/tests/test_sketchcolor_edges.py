import pytest
import torch
from sketchcolor_cli import Resources
from sketchcolor_cli.testing import check_extractor
from sketchcolor_edges import sketchcolor_extractors

[EDGES] = sketchcolor_extractors()


def test_it_keeps_the_contract():
    check_extractor(EDGES)


def test_paper_is_white_and_an_edge_is_dark():
    sketcher = EDGES.load(Resources(parameters=EDGES.defaults()))
    page = torch.ones(1, 3, 9, 9)
    page[..., 5:] = 0
    sketch = sketcher(page)[0, 0]
    assert (sketch[:, :4] == 1).all()
    assert (sketch[:, 4:6] == 0).all()


def test_a_strength_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        EDGES.load(Resources(parameters={"strength": 0.0}))
