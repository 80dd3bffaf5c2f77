"""One step of a distillation, with everything it reads on the device that trains.

Which clips a step sees, its window of them and its learning rate are drawn up in advance and looked up by a
counter on the device. So a step needs nothing from the host, and on CUDA it is recorded once as a graph and
replayed: a published decoder's step launches some 1,500 kernels, which take longer to launch than to run.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from nas.material import Material
from nas.quality import to_unit
from nas.settings import TrainingSettings
from nas.training_weights import Weights

_BETAS = (0.9, 0.95)  # of AdamW, as published
EAGER_STEPS = 2  # before a step is recorded: libraries choose their kernels, the optimiser makes its state


class TrainingStep:
    """The steps of one run, each an update of the weights.

    Attributes:
        loss: of the last step, a scalar on the device.
    """

    def __init__(
        self,
        weights: Weights,
        loss: Callable[[Tensor, Tensor, Tensor | None], Tensor],
        material: Material,
        settings: TrainingSettings,
        seed: int,
    ) -> None:
        """Draws up the steps.

        Args:
            weights: to be trained.
            loss: of latents `[B, C, t, h, w]`, clips `[B, 3, T, H, W]` in -1..1 and features or None.
            material: clips, latents and features.
            settings: steps, batch, window, learning rate.
            seed: of the order of clips and of the windows, the same for every design.
        """
        device = material.device
        self._weights, self._loss, self._material, self._settings = weights, loss, material, settings
        self._plan = _plan(material, settings, seed)
        # The optimiser's CUDA kernel reads a rate in fp32, its CPU kernel one in fp64.
        precision = torch.float32 if device.type == "cuda" else torch.float64
        rates = [settings.learning_rate * _schedule(step + 1, settings) for step in range(settings.steps)]
        self._rates = torch.tensor(rates, dtype=precision, device=device)
        self._done = torch.zeros(1, dtype=torch.int64, device=device)
        self._rate = self._rates[0].clone()
        self._optimizer = torch.optim.AdamW(
            weights.kept,
            lr=self._rate,
            betas=_BETAS,
            weight_decay=settings.weight_decay,
            fused=True,
            capturable=device.type == "cuda",
        )
        self.loss = torch.zeros((), device=device)
        self._run = _Replayed(self._step) if device.type == "cuda" else self._step

    def __call__(self) -> None:
        """Makes the next step, or on CUDA has it made while this returns."""
        self._run()

    def _step(self) -> None:
        self._rate.copy_(self._rates.index_select(0, self._done)[0])
        loss = self._loss(*self._batch())
        self._weights.backward(loss)
        nn.utils.clip_grad_norm_(self._weights.kept, self._settings.gradient_norm)
        self._optimizer.step()
        self._weights.refresh()
        self.loss.copy_(loss.detach())
        self._done += 1

    def _batch(self) -> tuple[Tensor, Tensor, Tensor | None]:
        rows, top, left = (part.index_select(0, self._done)[0] for part in self._plan)
        material = self._material
        width, side = material.latents.shape[-1], _side(material, self._settings.window)
        scale = material.clips.shape[-1] // width  # px for each latent

        def window(clips: Tensor, by: int) -> Tensor:
            chosen = clips.index_select(0, rows)
            if self._settings.window is None:
                return chosen
            along = torch.arange(side * by, device=clips.device)
            return chosen.index_select(-2, top * by + along).index_select(-1, left * by + along)

        features = None if material.features is None else window(material.features, 1).float()
        return window(material.latents, 1), to_unit(window(material.clips, scale)), features


class _Replayed:
    """A function of tensors that stay where they are, recorded as a CUDA graph once it has run a few times.

    The host runs one call ahead of the device at most, so that progress is told when it is made.
    """

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function
        self._stream = torch.cuda.Stream()
        self._calls = 0
        self._graph = torch.cuda.CUDAGraph()
        self._before: torch.cuda.Event | None = None

    def __call__(self) -> None:
        self._calls += 1
        if self._calls <= EAGER_STEPS:
            self._stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._stream):
                self._function()
            torch.cuda.current_stream().wait_stream(self._stream)
        else:
            if self._calls == EAGER_STEPS + 1:
                # Other threads, such as a progress display's, may go on using the device meanwhile.
                with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
                    self._function()
            self._graph.replay()
        done = torch.cuda.Event()
        done.record()
        if self._before is not None:
            self._before.synchronize()
        self._before = done


def _plan(material: Material, settings: TrainingSettings, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Each step's clips `[steps, batch]` and the top and left corner of its window, in latents, `[steps]`.

    Each clip comes once, shuffled, before any comes again.
    """
    generator = torch.Generator().manual_seed(seed)
    clips = len(material.clips)
    needed = settings.steps * settings.batch
    epochs = [torch.randperm(clips, generator=generator) for _ in range(math.ceil(needed / clips))]
    rows = torch.cat(epochs)[:needed].view(settings.steps, settings.batch)
    side = _side(material, settings.window)
    generator = torch.Generator().manual_seed(seed)  # anew: a longer run's windows begin with a shorter one's
    corners = [
        [int(torch.randint(max(1, extent - side + 1), (), generator=generator)) for extent in extents]
        for extents in [material.latents.shape[-2:]] * settings.steps
    ]
    top, left = torch.tensor(corners, device=material.device).unbind(1)
    return rows.to(material.device), top, left


def _side(material: Material, window: int | None) -> int:
    """Height and width of a window in latents, for one in px; None: the shorter side of a clip."""
    height, width = material.latents.shape[-2:]
    return min(height, width) if window is None else max(1, window * width // material.clips.shape[-1])


def _schedule(step: int, settings: TrainingSettings) -> float:
    """The share of the learning rate at a step from 1: linear warm-up, then all, or a cosine down to 0."""
    if step <= settings.warm_up:
        return step / settings.warm_up
    if settings.schedule == "constant":
        return 1.0
    done = (step - settings.warm_up) / max(1, settings.steps - settings.warm_up + 1)
    return 0.5 * (1 + math.cos(math.pi * done))
