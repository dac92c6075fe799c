from __future__ import annotations

import pytest
import torch

from sketchcolor_cli import Extractor, Resources
from sketchcolor_cli.errors import PluginError, UsageError
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.plugin.discovery import Extractors, Listing, find_extractors
from sketchcolor_cli.testing import check_extractor
from sketchcolor_plugins.averaged import MIX, read_mix
from sketchcolor_plugins.averaged.mixture import Mixture


def pictures(count, height=12, width=10, seed=1):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


def red(rgb):
    return rgb[:, 0:1]


def green(rgb):
    return rgb[:, 1:2]


def blue(rgb):
    return rgb[:, 2:3]


MEMBERS = {"red": red, "green": green, "blue": blue}


def mixture(text, seed=0):
    shares = read_mix(text)
    return Mixture({name: MEMBERS[name] for name in shares}, shares, seed)


def test_the_declared_mixture_is_half_sketchkeras_and_half_anime2sketch():
    declared = find_extractors().get("avg")
    assert read_mix(declared.defaults()["mix"]) == {"sketchkeras": 0.5, "anime2sketch": 0.5}
    assert declared.parts == ("sketchkeras", "anime2sketch")


def test_it_needs_the_weights_of_what_it_mixes():
    extractors = find_extractors()
    assert [file.name for file in extractors.weights("avg")] == ["sketchkeras", "anime2sketch"]
    assert extractors.weights("avg", ["mix=xdog=0.3,gray=0.7"]) == []
    assert [file.name for file in extractors.weights("avg", ["mix=random:xdog,sketchkeras"])] == [
        "sketchkeras"
    ]


def test_the_sketch_is_the_mean_of_its_members():
    rgb = pictures(3)
    torch.testing.assert_close(
        mixture("red=0.5,green=0.5")(rgb), (red(rgb) + green(rgb)) / 2, atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("mix", [MIX, "sketchkeras=3,anime2sketch=1"])
def test_avg_is_the_mean_of_what_its_members_give_alone(mix):
    def extractor(name, draw):
        return Listing(name, "demo", "1", Extractor(name, "Demo.", lambda _: draw))

    extractors = Extractors(
        [
            extractor("sketchkeras", red),
            extractor("anime2sketch", lambda rgb: 1 - blue(rgb) ** 2),
            Listing("avg", "ours", "1", find_extractors().get("avg")),
        ]
    )
    rgb = pictures(2)
    first, second = (Loader(extractors).load(name).sketcher(rgb) for name in ("sketchkeras", "anime2sketch"))
    share = read_mix(mix)["sketchkeras"]
    drawn = Loader(extractors).load("avg", [f"mix={mix}"]).sketcher(rgb)
    assert (drawn - (share * first + (1 - share) * second)).abs().max() <= 1e-6


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("red=0.5,green=0.5", {"red": 0.5, "green": 0.5}),
        ("red=1,green=3", {"red": 0.25, "green": 0.75}),
        (" red = 1 , green = 1 ", {"red": 0.5, "green": 0.5}),
        ("red,green", {"red": 0.5, "green": 0.5}),
        ("red=0,green=2", {"green": 1.0}),
        ("red", {"red": 1.0}),
        ("random", {"sketchkeras": None, "anime2sketch": None}),
        ("random:red,green,blue", {"red": None, "green": None, "blue": None}),
    ],
)
def test_a_mixture_is_read(text, shares):
    assert read_mix(text) == shares


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write it as"),
        ("red=0.5,", "write it as"),
        ("=0.5", "write it as"),
        ("random:", "write it as"),
        ("random:red=0.5", "write it as"),
        ("red=half", "not 'half'"),
        ("red=-1,green=2", "not '-1'"),
        ("red=nan", "not 'nan'"),
        ("red=inf", "not 'inf'"),
        ("red=", "not ''"),
        ("red=0,green=0", "some must be above 0"),
        ("red=1,red=2", "red comes twice"),
    ],
)
def test_a_mixture_that_makes_no_sense_is_refused(text, said):
    with pytest.raises(ValueError, match="mix") as refusal:
        read_mix(text)
    assert said in str(refusal.value)
    with pytest.raises(UsageError, match="avg: mix"):
        find_extractors().weights("avg", [f"mix={text}"])


def test_an_unknown_member_and_a_mixture_of_itself_are_refused():
    for name, said in (("nobody", "no extractor of this name"), ("avg", "cannot be made of itself")):
        with pytest.raises(PluginError, match=said):
            Loader(find_extractors()).load("avg", [f"mix=gray=1,{name}=1"])


def test_random_shares_are_those_of_the_notes_and_mix_the_members():
    rgb = pictures(5)
    mix = mixture("random:red,blue", seed=3)
    for picture, sketch, note in zip(rgb, mix(rgb), mix.notes(rgb), strict=True):
        shares = note["mix"]
        assert set(shares) == {"red", "blue"}
        assert sum(shares.values()) == pytest.approx(1, abs=2e-6)
        torch.testing.assert_close(
            sketch, shares["red"] * picture[0:1] + shares["blue"] * picture[2:3], atol=2e-6, rtol=0
        )


def test_fixed_shares_are_noted_too():
    assert mixture("red=1,blue=3").notes(pictures(2)) == [{"mix": {"red": 0.25, "blue": 0.75}}] * 2


def test_random_shares_differ_between_pictures_and_seeds_and_stay_for_the_same():
    rgb = pictures(6)
    first = mixture("random:red,blue", seed=1).notes(rgb)
    assert len({note["mix"]["red"] for note in first}) == 6
    assert mixture("random:red,blue", seed=1).notes(rgb.flip(0)) == first[::-1]
    assert mixture("random:blue,red", seed=1).notes(rgb) == first  # the order in which they are named is none
    assert mixture("random:red,blue", seed=2).notes(rgb) != first


def test_random_shares_of_a_known_picture_never_change():
    # A data set that was made years ago can be made again.
    steps = torch.arange(3 * 4 * 5).view(1, 3, 4, 5) / 255
    shares = mixture("random:red,green,blue", seed=7).notes(steps)[0]["mix"]
    assert shares == {"red": 0.606801, "green": 0.340703, "blue": 0.052496}


def test_random_shares_are_evenly_spread():
    drawn = mixture("random:red,blue").notes(pictures(600, 3, 3))
    share = torch.tensor([note["mix"]["red"] for note in drawn])
    counts = torch.histc(share, bins=4, min=0, max=1)
    assert counts.min() > 100
    assert share.mean().item() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("mix", ["gray=0.4,xdog=0.6", "random:gray,xdog"])
def test_it_keeps_the_contract(mix):
    extractors = find_extractors()
    declared = extractors.get("avg")
    members = {name: Loader(extractors).load(name).sketcher for name in ("gray", "xdog")}
    check_extractor(
        declared, Resources("cpu", {"mix": mix, "seed": 5}, find_extractor=lambda name: members[name])
    )


@pytest.mark.parametrize("seed", ["-1", str(2**70)])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(UsageError, match="seed is at least 0"):
        Loader(find_extractors()).load("avg", ["mix=gray", f"seed={seed}"])
