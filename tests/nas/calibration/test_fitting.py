from pathlib import Path

import numpy as np
import pytest

from nas.calibration.fitting import fit_profile
from nas.calibration.fitting_errors import left_out
from nas.calibration.fitting_factors import Factors
from nas.calibration.probes import Probe
from nas.calibration.samples import Workload, samples
from nas.costs.ensemble import grouped, interval_factor, sampled
from nas.costs.hardware import hardware
from search_space import design
from search_space.errors import UserError

HERE = Path()
DECODERS = ("turbo-vaed-hunyuan", "turbo-vaed-dc", "turbo-vaed-ltx")
TRUE = {"convolution rate": 1.4, "depthwise rate": 0.4, "bandwidth": 1.2}
FIGURES = {  # of single operators, at sizes where each decides the time
    "units.host.rates.convolution3d.tflop_s": (1.6, "convolution3d-64x64-9x128x128"),
    "units.host.bandwidths.elementwise": (0.7, "silu-64x64-9x128x128"),
    "units.host.bandwidths.permute": (1.5, "fold-64x64-9x128x128"),
}


def decoders(make_row, clips=((64, 64), (128, 128))):
    return [make_row(name, resolution=clip, frames=8) for name in DECODERS for clip in clips]


def timed(rows, profile, factors):
    """The samples as if measured on a device whose figures are `factors` times those of `profile`."""
    found = samples(rows, profile, HERE)
    times = Workload(found).milliseconds(hardware(profile, factors))[:, 0]
    return samples(
        [type(row)(**vars(row) | {"latency_ms": time}) for row, time in zip(rows, times, strict=True)],
        profile,
        HERE,
    )


def all_grouped(profile, factors):
    """Factors of the figures in these groups; the other groups' are 1."""
    return grouped(profile, {group.name: np.ones(1) for group in profile.fit} | factors)


def test_decoders_alone_move_the_groups(specification, make_row):
    groups = {name: np.array([value]) for name, value in TRUE.items()}
    found = timed(decoders(make_row), specification, all_grouped(specification, groups))
    calibration = fit_profile(found, specification, "mine", "a processor")
    figure = "units.host.rates.convolution3d.tflop_s"
    true = specification.figures[figure].value * TRUE["convolution rate"]
    assert calibration.profile.figures[figure].value == pytest.approx(true, rel=0.1)
    for row in calibration.rows:
        assert row.estimated_ms == pytest.approx(row.measured_ms, rel=0.05)
    assert [group.name for group in calibration.profile.fit] == [group.name for group in specification.fit]
    assert calibration.profile.coverage["host"]["convolution3d"].channels_in[1] == 512
    assert "fitted to 6 measurements of a processor" in calibration.profile.figures[figure].source


def test_rates_that_decoders_do_not_determine_do_not_pass_for_fitted(specification, make_row):
    groups = {name: np.array([value]) for name, value in TRUE.items()}
    found = timed(decoders(make_row), specification, all_grouped(specification, groups))
    figures = fit_profile(found, specification, "mine", "it").profile.figures
    transposed = "units.host.rates.transposed_convolution.tflop_s"
    assert figures[transposed] == specification.figures[transposed]
    assert "which moved it along" in figures["units.host.rates.matrix_product.tflop_s"].source
    assert "moved" not in figures["units.host.rates.convolution3d.tflop_s"].source


def test_what_is_left_out_of_the_fit_has_no_say_in_its_prediction(specification, make_row):
    rows = decoders(make_row)
    found = timed(rows, specification, {})
    factors = Factors(specification, specification.fit)
    measured, noise = np.log([row.latency_ms for row in rows]), np.full(len(rows), 0.01)
    changed = measured + np.where(np.arange(len(rows)) == 2, 1.0, 0.0)
    one, other = (left_out(factors, found, times, noise) for times in (measured, changed))
    assert one[2] == other[2]
    assert not np.isclose(one[3], other[3])


def test_probes_move_single_figures_and_leave_the_others(specification, make_row):
    rows = [make_row(name) for _, name in FIGURES.values()]
    factors = {path: np.array([value]) for path, (value, _) in FIGURES.items()}
    fitted = fit_profile(timed(rows, specification, factors), specification, "mine", "it").profile
    for path, (value, _) in FIGURES.items():
        assert fitted.figures[path].value == pytest.approx(specification.figures[path].value * value, rel=0.1)
        assert fitted.figures[path].spread == 1
    untouched = "units.host.bandwidths.resize"
    assert fitted.figures[untouched].value == specification.figures[untouched].value


def test_the_interval_is_wide_where_nothing_was_measured(specification, make_row):
    rows = [make_row(name) for _, name in FIGURES.values()]
    fitted = fit_profile(timed(rows, specification, {}), specification, "mine", "it").profile
    probes = [Probe(operator, (64, 64), (9, 128, 128)).name for operator in ("silu", "nearest")]
    times = Workload(samples([make_row(name) for name in probes], fitted, HERE)).milliseconds(sampled(fitted))
    known, unknown = interval_factor(times, 1.0)
    assert known < 1.1
    assert unknown > 1.3


def test_fitting_again_keeps_the_first_source(specification, make_row):
    found = timed([make_row(name) for _, name in FIGURES.values()], specification, {})
    once = fit_profile(found, specification, "once", "it").profile
    again = fit_profile(found, once, "again", "it").profile
    path = next(iter(FIGURES))
    assert again.figures[path].source == once.figures[path].source
    assert again.version == once.version + 1


def test_a_single_measurement_is_refused(specification, make_row):
    with pytest.raises(UserError, match="at least 2"):
        fit_profile(samples([make_row("silu-8x8-1x4x4")], specification, HERE), specification, "mine", "it")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": "nothing.json", "resolution": (64, 64), "frames": 8}, "nothing.json"),
        ({"subject": "turbo-vaed-ltx"}, "no probe"),
        ({"config_hash": "0" * 12, "resolution": (64, 64), "frames": 8}, "was measured"),
        ({"unit": "abacus", "resolution": (64, 64), "frames": 8}, "unit 'abacus'"),
        ({"lowering": "shifted_2d", "resolution": (64, 64), "frames": 8}, "lowering 'shifted_2d'"),
    ],
)
def test_a_row_that_names_nothing_is_refused(specification, make_row, changes, message):
    row = make_row(**{"subject": "turbo-vaed-ltx"} | changes)
    with pytest.raises(UserError, match=message):
        samples([row], specification, HERE)


def test_the_hash_of_a_design_is_accepted_where_it_is_its_own(specification, make_row):
    known = design("turbo-vaed-ltx").hash
    row = make_row("turbo-vaed-ltx", config_hash=known, resolution=(64, 64), frames=8)
    (sample,) = samples([row], specification, HERE)
    assert {unit for unit, _ in sample.chain} == {"host"}
