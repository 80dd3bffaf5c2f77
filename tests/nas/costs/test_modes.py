import pytest

from nas.costs.modes import tile_sides


@pytest.mark.parametrize("edge", [1, 2, 5, 16, 23, 90, 160])
@pytest.mark.parametrize("tiles", [2, 3, 4, 6, 8])
def test_tiles_cover_a_side_and_overlap(edge, tiles):
    tile, count = tile_sides(edge, tiles)
    stride = max(1, int(tile * 0.75))
    assert 1 <= tile <= edge
    assert (count - 1) * stride + tile >= edge
    assert (count - 2) * stride + tile < edge or count == 1
