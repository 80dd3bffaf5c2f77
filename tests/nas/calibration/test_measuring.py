import json
from pathlib import Path

import pytest
import torch

from nas.calibration.apple import AppleAnswer, apple_measurement, run_on_apple
from nas.calibration.measurements import SEVERAL
from nas.calibration.measuring import measure
from nas.calibration.running import run_decoder
from nas.calibration.subjects import decoder_subject, find_subject
from search_space.errors import UserError

RECORDED = Path(__file__).with_name("apple_answer.json")
PROBE = "silu-8x8-1x4x4"


def test_what_a_table_has_is_not_measured_again(tmp_path):
    path = tmp_path / "measured.csv"
    first = [find_subject(PROBE, tmp_path, (0, 0), 0)]
    (row,) = measure(first, "host", path, lambda text: None)
    assert row.latency_ms > 0
    assert row.samples >= 5
    text = path.read_text()
    both = [*first, find_subject("mean-8x8-1x4x4", tmp_path, (0, 0), 0)]
    measure(both, "host", path, lambda text: None)
    assert path.read_text().startswith(text)
    assert len(path.read_text().splitlines()) == 3


def test_a_decoder_is_measured_by_decoding(tmp_path):
    subject = decoder_subject("turbo-vaed-ltx", tmp_path, (32, 40), 9)
    measured = json.loads(json.dumps(run_decoder(subject, "host").to_dict()))
    assert measured["basis"] == "measured"
    assert measured["latent_shape"] == [1, 128, 2, 1, 2]
    assert measured["fps"] == pytest.approx(9e3 / measured["latency_ms"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_cuda_is_refused_where_there_is_none(tmp_path):
    with pytest.raises(UserError, match="cuda"):
        run_decoder(decoder_subject("turbo-vaed-ltx", tmp_path, (32, 32), 1), "cuda")


def test_an_answer_of_a_device_becomes_a_row():
    """The answer was written by hand in the form that coremltools 9 documents: there was no Mac."""
    data = json.loads(RECORDED.read_text())
    answer = AppleAnswer(
        tuple(data["samples_ms"]), data["sustained_ms"], tuple(map(tuple, data["operations"]))
    )
    row = apple_measurement(answer, PROBE, "", (0, 0), 0, "iphone", "shifted_2d")
    assert (row.latency_ms, row.samples, row.unit) == (2.5, 5, "neural_engine")
    assert row.spread == pytest.approx(0.05 / 2.5)
    mixed = AppleAnswer(answer.samples_ms, 2.6, (*answer.operations, ("conv", "gpu", 1.0)))
    assert apple_measurement(mixed, PROBE, "", (0, 0), 0, "iphone", "shifted_2d").unit == SEVERAL


def test_core_ml_runs_on_a_mac_only(tmp_path):
    import platform

    if platform.system() == "Darwin":
        pytest.skip("this is a Mac")
    with pytest.raises(UserError, match="nas probe"):
        run_on_apple(tmp_path / "some.mlpackage", "iphone", "")
