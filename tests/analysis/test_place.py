"""Where one design stands among a study's."""

from collections.abc import Callable
from pathlib import Path

from study_writer import trained

from analysis import load_study, place_on_front

Run = Callable[..., Path]


def test_says_the_place_and_the_neighbours(run: Run) -> None:
    study = load_study(
        run([trained(30.0, 100.0), trained(29.0, 120.0), trained(32.0, 200.0), trained(33.0, 1400.0)])
    )
    assert place_on_front(study, 2) == (
        "It is number 2 of 3 on the front (psnr, latency_ms) of the 4 designs trained, by latency_ms; "
        "the one before it has psnr 30 and latency_ms 100, the one after it has psnr 33 and latency_ms 1,400."
    )
    assert place_on_front(study, 1) == (
        "It is not on the front (psnr, latency_ms) of the 4 designs trained, which has 3."
    )
