"""What is learnt of quality from few trainings."""

import numpy as np
import pytest

from nas.sampling.encoding import encode_designs
from nas.sampling.features import GROUPS, Features
from nas.sampling.quality_model import QualityModel
from search_space import SearchSpace
from search_space.design_arrays import draw

NOISE = 0.4


@pytest.fixture(scope="module")
def wan() -> SearchSpace:
    return SearchSpace.preset("wan")


@pytest.fixture(scope="module")
def made_up(wan: SearchSpace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of designs [N, F], their groups [F], and a quality [N] that a few upsamplers decide."""
    encoded = encode_designs(wan, draw(wan, np.random.default_rng(0), 400))
    features = Features(encoded, np.zeros((400, 4)))
    seen = features(encoded, np.zeros((400, 4)))
    counted = seen[:, features.group == GROUPS.index("upsamplers_counted")]
    return seen, features.group, counted @ np.linspace(-2, 2, counted.shape[1])


def test_features_of_each_group_have_unit_variance(made_up: tuple[np.ndarray, ...]) -> None:
    seen, group, _ = made_up
    for number, name in enumerate(GROUPS):
        assert seen[:, group == number].var(axis=0).sum() == pytest.approx(float(name != "costs")), name


def test_thirty_trainings_tell_what_is_shared_and_how_far_they_can_be_trusted(
    made_up: tuple[np.ndarray, ...],
) -> None:
    features, group, quality = made_up
    reached = quality + np.random.default_rng(1).normal(0, NOISE, len(quality))
    model = QualityModel(features[:30], group, reached[:30])
    predicted = model.predict(features[30:])
    errors = predicted.mean - quality[30:]
    assert np.std(errors) < 0.5 * np.std(quality)
    assert 0.2 < np.mean((errors / predicted.deviation) ** 2) < 2
    assert NOISE / 2 < model.noise < NOISE * 2


def test_an_expected_result_makes_surer_and_moves_no_mean(made_up: tuple[np.ndarray, ...]) -> None:
    features, group, quality = made_up
    model = QualityModel(features[:20], group, quality[:20])
    before = model.predict(features[20:40])
    model.expect(features[20:22])
    after = model.predict(features[20:40])
    assert after.mean == pytest.approx(before.mean)
    assert (after.deviation <= before.deviation + 1e-9).all()
    assert (after.deviation[:2] < 0.95 * before.deviation[:2]).all()


def test_an_earlier_model_helps_where_differences_are_the_same_but_for_a_factor(
    made_up: tuple[np.ndarray, ...],
) -> None:
    features, group, quality = made_up
    shared = group < GROUPS.index("costs")  # an earlier model knows no costs
    noise = np.random.default_rng(1).normal(0, NOISE, len(quality))
    before = QualityModel(features[200:, shared], group[shared], (5 + 1.5 * quality + noise)[200:])
    alone, informed = (
        QualityModel(features[:8], group, (quality + noise)[:8], earlier) for earlier in (None, before)
    )
    errors = [np.std(model.predict(features[100:200]).mean - quality[100:200]) for model in (alone, informed)]
    assert errors[1] < 0.5 * errors[0]


def test_equal_results_can_be_learnt_from(made_up: tuple[np.ndarray, ...]) -> None:
    features, group, _ = made_up
    predicted = QualityModel(features[:3], group, np.full(3, 20.0)).predict(features)
    assert predicted.mean == pytest.approx(20)
    assert (predicted.deviation > 0).all()
