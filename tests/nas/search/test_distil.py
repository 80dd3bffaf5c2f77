"""One distillation run, on latents that hold the answer."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from nas.depthwise import compute_framewise
from nas.distil import DistillationError, Distilled, Stopped, distil
from nas.material import Material
from nas.settings import TrainingSettings
from search_space import DecoderConfig, Stage, build_decoder

CONFIG = DecoderConfig(
    latent_channels=16,
    stages=(
        Stage(16, 1, "dw3"),
        Stage(16, 0, "spatial"),
        Stage(16, 1, "spatial", "nearest"),
        Stage(16, 0, "spatial", "nearest", doubles_time=True),
        Stage(8, 0, "spatial", "nearest", doubles_time=True),
    ),
)
SETTINGS = TrainingSettings(
    steps=60,
    batch=2,
    window=None,
    learning_rate=5e-3,
    schedule="constant",
    warm_up=2,
    weight_decay=1e-4,
    gradient_norm=1.0,
    feature_weight=0.1,
    curve_points=3,
    curve_clips=1,
)


def test_learns_and_reports(material: Material) -> None:
    steps: list[int] = []
    distilled = distil(CONFIG, material, SETTINGS, on_step=steps.append)
    assert steps == list(range(1, 61))
    assert [step for step, _ in distilled.curve] == [20, 40, 60]
    assert distilled.curve[-1][1] > distilled.curve[0][1]
    assert set(distilled.metrics) == {"psnr", "psnr_inside", "ssim", "loss"}
    assert set(distilled.seconds) == {"build", "train", "validate"}
    assert distilled.frames.shape == (2, 3, 32, 32)
    build_decoder(CONFIG).load_state_dict(distilled.state, strict=True)


def test_the_beginning_of_a_run_is_a_run(material: Material) -> None:
    settings = SETTINGS.model_copy(update={"window": 16, "curve_clips": len(material.validation_clips)})
    short = distil(CONFIG, material, settings.model_copy(update={"steps": 20, "curve_points": 1}))
    assert distil(CONFIG, material, settings).curve[0] == (20, short.metrics["psnr"])


def test_compares_the_last_block_of_the_teachers_size(material: Material) -> None:
    assert distil(CONFIG, material, SETTINGS).feature_blocks == ("up_block_0", "mid_block")
    without = replace(material, features=None, feature_block=None)
    assert distil(CONFIG, without, SETTINGS).feature_blocks is None


def test_same_seed_same_weights(material: Material) -> None:
    first, second = (distil(CONFIG, material, SETTINGS, seed=3).state for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_stops_where_the_curve_falls_below_what_is_asked(material: Material) -> None:
    heard: list[int] = []
    whole = distil(CONFIG, material, SETTINGS)
    reached = dict(whole.curve)
    asked = {20: reached[20], 40: reached[40] + 0.01}  # reaching it is enough
    stopped = distil(CONFIG, material, SETTINGS, stop_below=asked, on_point=lambda c: heard.append(len(c)))
    assert isinstance(stopped, Stopped)
    assert stopped.curve == whole.curve[:2]
    assert heard == [1, 2]
    assert set(stopped.seconds) == {"build", "train"}
    assert stopped.seconds_left > 0
    assert isinstance(distil(CONFIG, material, SETTINGS, stop_below={20: reached[20]}), Distilled)


def test_a_loss_that_explodes_is_an_error(material: Material) -> None:
    wild = SETTINGS.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(DistillationError, match="the loss is nan at step 20"):
        distil(CONFIG, material, wild)


def test_clips_of_another_length_are_an_error(material: Material) -> None:
    short = replace(material, clips=material.clips[:, :, :4])
    with pytest.raises(DistillationError, match=r"\[2, 3, 5, 32, 32\] for clips of \[2, 3, 4, 32, 32\]"):
        distil(CONFIG, short, SETTINGS)


@pytest.mark.parametrize("kernel", [3, 5])
def test_frame_by_frame_is_the_same_convolution(kernel: int) -> None:
    convolution = nn.Conv3d(6, 6, kernel, padding=(0, kernel // 2, kernel // 2), groups=6).double()
    clip = torch.randn(2, 6, kernel + 3, 8, 9, dtype=torch.double, requires_grad=True)
    wanted = convolution(clip)
    wanted_gradients = torch.autograd.grad(wanted.square().sum(), [clip, *convolution.parameters()])
    compute_framewise(convolution)
    computed = convolution(clip)
    gradients = torch.autograd.grad(computed.square().sum(), [clip, *convolution.parameters()])
    torch.testing.assert_close(computed, wanted)
    torch.testing.assert_close(gradients, wanted_gradients)
