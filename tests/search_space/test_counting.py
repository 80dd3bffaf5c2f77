"""How counts read."""

from search_space.counting import plural


def test_one_is_no_several() -> None:
    counts = (0, 1, 2, 1000)
    assert [plural(count, "design") for count in counts] == [
        "0 designs",
        "1 design",
        "2 designs",
        "1,000 designs",
    ]
