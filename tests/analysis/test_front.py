"""Fronts, hypervolumes and knees, against cases worked out by hand."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from study_writer import costs, random_records, refused, study_record, trained

from analysis import hypervolume, hypervolume_over_trials, knee, load_study, pareto_front
from search_space.errors import UserError

Run = Callable[..., Path]

# PSNR, latency, parameters: 0, 2 and 4 are on the front of PSNR and latency; 1 is beaten by 0 and 3 by 2.
STAIRS = [
    trained(30.0, 100.0, params=9e6),
    trained(29.0, 120.0, params=1e6),
    trained(32.0, 200.0, params=9e6),
    trained(31.0, 400.0, params=9e6),
    trained(33.0, 400.0, params=9e6),
]


def test_front_is_in_order_of_the_last_objective(run: Run) -> None:
    study = load_study(run([*reversed(STAIRS), refused(10.0, "params<=1")]))
    front = pareto_front(study)
    assert list(front["number"]) == [4, 2, 0]
    assert front.attrs["study"] == study.attrs["study"]
    assert not front.attrs["confirmed"]


def test_front_of_other_objectives(run: Run) -> None:
    study = load_study(run(STAIRS))
    assert set(pareto_front(study, ["psnr", "params"])["number"]) == {1, 4}
    assert set(pareto_front(study, ["psnr", "latency_ms", "params"])["number"]) == {0, 1, 2, 4}
    assert set(pareto_front(study, ["max latency_ms"])["number"]) == {3, 4}
    with pytest.raises(UserError, match="'pnsr' is not known; the nearest are: psnr"):
        pareto_front(study, ["pnsr"])
    with pytest.raises(UserError, match=r"'max seconds\.train' or 'min seconds\.train'"):
        pareto_front(study, ["seconds.train"])


def test_front_agrees_with_the_definition(run: Run) -> None:
    study = load_study(run(random_records(30)))
    points = study[["psnr", "latency_ms"]].to_numpy() * [-1, 1]
    beaten = [
        any((q <= p).all() and (q < p).any() for q in points)  # the definition, pair by pair
        for p in points
    ]
    assert set(pareto_front(study)["number"]) == set(np.flatnonzero(~np.array(beaten)))


def test_equal_designs_stay_and_unknown_values_go(run: Run) -> None:
    study = load_study(
        run(
            [
                trained(30.0, 100.0, hash="a"),
                trained(30.0, 100.0, hash="b"),
                trained(31.0, 1.0, metrics={"psnr": 31.0}),
            ]
        )
    )
    assert list(pareto_front(study, ["ssim", "latency_ms"])["number"]) == [0, 1]


def test_a_front_meets_the_constraints_of_its_search_at_the_new_price(run: Run) -> None:
    directory = run(
        STAIRS,
        attributes={
            "study": study_record(constraints=["fps >= 60"]),
            "repriced": {"2": costs(300.0, source="coreml")},  # 85 frames/s as searched, 57 as priced again
        },
    )
    study = load_study(directory)
    assert list(pareto_front(study)["number"]) == [0]
    assert list(pareto_front(study, where=[])["number"]) == [0, 2, 4]
    assert list(pareto_front(study, where=["psnr > 31", "fits"])["number"]) == [2, 4]


def test_hypervolume_is_the_area_on_the_plot(run: Run) -> None:
    study = load_study(run(STAIRS))
    reference = {"psnr": 29.0, "latency_ms": 1000.0}
    # From slow to fast: 4 dB above the reference over log10(1000 / 400) decades, then 3 dB, then 1 dB.
    expected = 4 * math.log10(1000 / 400) + 3 * math.log10(400 / 200) + 1 * math.log10(200 / 100)
    assert hypervolume(study, reference=reference) == pytest.approx(expected)
    with pytest.raises(UserError, match="latency_ms"):
        hypervolume(study, reference={"psnr": 29.0})


def test_hypervolume_over_trials(run: Run) -> None:
    study = load_study(run(STAIRS))
    over_trials = hypervolume_over_trials(study)
    for count in range(1, len(STAIRS) + 1):
        reference = {"psnr": 29.0, "latency_ms": 400.0}  # the worst of all five
        assert over_trials.iloc[count - 1] == pytest.approx(
            hypervolume(study.head(count), reference=reference)
        )
    assert over_trials.is_monotonic_increasing


def test_nothing_trained(run: Run) -> None:
    study = load_study(run([refused(900.0, "fps >= 24")]))
    assert pareto_front(study).empty
    assert hypervolume(study) == 0.0
    assert hypervolume_over_trials(study).empty
    with pytest.raises(UserError, match="front is empty"):
        knee(pareto_front(study))


def test_knee(run: Run) -> None:
    study = load_study(run([trained(30.0, 10.0), trained(34.5, 20.0), trained(35.0, 1000.0)]))
    assert knee(pareto_front(study))["number"] == 1
    assert knee(pareto_front(study.head(1)))["number"] == 0
