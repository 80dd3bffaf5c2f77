"""Steps that are recorded once and replayed train as steps that are launched one by one."""

import pytest
import torch
from torch import Tensor, nn

from nas import training_step
from nas.material import Material
from nas.settings import load_settings
from nas.training_step import TrainingStep
from nas.training_weights import Weights


def _train(material: Material) -> tuple[list[float], Tensor]:
    torch.manual_seed(0)
    student = nn.Conv3d(16, 3, 1).cuda()
    weights = Weights(student)

    def loss(latents: Tensor, clips: Tensor, features: Tensor | None) -> Tensor:
        return (weights.compute(latents).float().mean((3, 4)) - clips[:, :, ::4].mean((3, 4))).square().mean()

    settings = load_settings("gpu").training.model_copy(update={"steps": 12, "window": 16})
    step = TrainingStep(weights, loss, material, settings, seed=0)
    losses = []
    for _ in range(settings.steps):
        step()
        losses.append(step.loss.item())
    return losses, student.weight.detach()


def test_recorded_steps_are_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    material = Material(
        clips=torch.randint(0, 256, (9, 3, 5, 32, 32), dtype=torch.uint8, generator=generator).cuda(),
        latents=torch.randn(9, 16, 2, 4, 4, generator=generator).cuda(),
        features=None,
        feature_block=None,
        validation_clips=torch.zeros(1, 3, 5, 32, 32, dtype=torch.uint8).cuda(),
        validation_latents=torch.zeros(1, 16, 2, 4, 4).cuda(),
        teacher_psnr=25.0,
        teacher_frames=torch.zeros(1, 3, 32, 32, dtype=torch.uint8),
    )
    losses, trained = _train(material)
    monkeypatch.setattr(training_step, "EAGER_STEPS", 12)
    wanted_losses, wanted = _train(material)
    assert len(set(losses)) == 12  # each of another batch
    torch.testing.assert_close(torch.tensor(losses), torch.tensor(wanted_losses))
    torch.testing.assert_close(trained, wanted)
