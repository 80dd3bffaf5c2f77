"""Which designs are confirmed."""

from typing import Any

from nas.finalists import finalists
from nas.objectives import parse_objectives

OBJECTIVES = parse_objectives("psnr,latency_ms")


def design(number: int, psnr: float, latency_ms: float, ssim: float = 0.5) -> tuple[int, dict[str, Any]]:
    return number, {"metrics": {"psnr": psnr, "ssim": ssim}, "costs": {"latency_ms": latency_ms}}


def numbers(chosen: list[tuple[int, dict[str, Any]]]) -> list[int]:
    return [number for number, _ in chosen]


FAST, KNEE, TWIN, SLOW = design(3, 15, 10), design(4, 19, 40), design(5, 19.05, 41), design(6, 20, 160)
JUST_MISSED, HOPELESS = design(7, 18.9, 45), design(8, 14, 1600)


def test_the_front_comes_first_by_what_would_be_lost_without_each() -> None:
    known = [HOPELESS, JUST_MISSED, TWIN, SLOW, FAST, KNEE]
    assert set(numbers(finalists(known, OBJECTIVES, 2))) == {3, 6}  # for the twin stands in for the knee
    assert numbers(finalists(known, OBJECTIVES, 4))[2:] == [4, 5]


def test_places_left_go_to_those_that_miss_the_front_by_the_least() -> None:
    known = [HOPELESS, JUST_MISSED, SLOW, FAST, KNEE]
    assert numbers(finalists(known, OBJECTIVES, 4))[3:] == [7]
    assert numbers(finalists(known, OBJECTIVES, 99))[3:] == [7, 8]


def test_any_objectives_will_do() -> None:
    known = [design(0, 18, 10, ssim=0.6), design(1, 19, 10, ssim=0.7), design(2, 20, 10, ssim=0.5)]
    assert numbers(finalists(known, parse_objectives("psnr"), 3)) == [2, 1, 0]
    assert set(numbers(finalists(known, parse_objectives("psnr,ssim"), 2))) == {1, 2}
    assert finalists([], OBJECTIVES, 3) == []
