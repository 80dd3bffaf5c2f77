import pytest

from nas.costs import load_device
from nas.costs.blocks import Design
from nas.costs.modes import blending_ms, in_tiles, tile_sides, whole
from search_space import DecoderConfig, Stage

PROFILE = load_device("iphone-16-pro")
LATENT = (1, 4, 2, 8, 8)
SMALL = DecoderConfig(4, tuple(Stage(8, 0, "spatial", "nearest" if i > 1 else None) for i in range(5)))


def test_tiles_pay_for_their_starts_and_for_blending():
    clip = whole(Design(SMALL), LATENT, PROFILE, "trace", "shifted_2d")
    one = in_tiles(Design(SMALL), LATENT, LATENT, 2, PROFILE, "trace", "shifted_2d")
    assert one.total.flops == clip.total.flops
    four = in_tiles(Design(SMALL), LATENT, (1, 4, 2, 5, 5), 2, PROFILE, "trace", "shifted_2d")
    tile = whole(Design(SMALL), (1, 4, 2, 5, 5), PROFILE, "trace", "shifted_2d")
    blending = blending_ms((8, 8), (5, 5), 2 * 8 * 8, PROFILE)
    starts = 3 * PROFILE.switch_us.value / 1e3
    assert four.total.latency_ms == pytest.approx(4 * tile.total.latency_ms + starts + blending[0])
    assert sum(cost.latency_ms for _, cost in four.stages) == pytest.approx(four.total.latency_ms)


def test_blending_grows_with_what_tiles_share():
    copied, *more = (blending_ms((64, 64), (side, side), 16 * 8 * 8, PROFILE)[0] for side in (64, 37, 26))
    assert 0 < copied < more[0] < more[1]


@pytest.mark.parametrize("edge", [1, 2, 5, 16, 23, 90, 160])
@pytest.mark.parametrize("tiles", [2, 3, 4, 6, 8])
def test_tiles_cover_a_side_and_overlap(edge, tiles):
    tile, count = tile_sides(edge, tiles)
    stride = max(1, int(tile * 0.75))
    assert 1 <= tile <= edge
    assert (count - 1) * stride + tile >= edge
    assert (count - 2) * stride + tile < edge or count == 1
