"""The student while it is trained: the decoder and the heads through which its features are compared."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from nas.teachers import Teacher
from nas.training.alignment import FeatureHead
from nas.training.settings import FullTrainingSettings
from search_space.config import STAGE_NAMES
from search_space.decoder import Decoder
from search_space.errors import UserError

Pair = tuple[str, str]  # of the student's block and the teacher's


def build_student(
    decoder: Decoder, teacher: Teacher, settings: FullTrainingSettings, latent: Tensor
) -> Student:
    """The decoder with heads that fit the teacher's features.

    Args:
        decoder: what is trained.
        teacher: whose blocks it is compared with.
        settings: name the blocks.
        latent: of a training clip, `[B, C, t, h, w]`, on the teacher's device.

    Raises:
        UserError: the decoder or the teacher has no such block.
    """
    pairs = settings.features.blocks if settings.features.weight else ()
    targets = teacher.features(latent, {theirs for _, theirs in pairs}) if pairs else {}
    shapes = {name: feature.shape for name, feature in targets.items()}
    return Student(decoder, pairs, latent, shapes, settings.gradient_checkpointing)


class Student(nn.Module):
    """A decoder with one head for each pair of blocks; the heads are left behind after training."""

    def __init__(
        self,
        decoder: Decoder,
        pairs: Sequence[Pair],
        latent: Tensor,
        teacher: dict[str, torch.Size],
        gradient_checkpointing: bool,
    ) -> None:
        """Builds heads that fit.

        Args:
            decoder: what is trained.
            pairs: whose features are compared.
            latent: of a training clip, `[B, C, t, h, w]`.
            teacher: by block, the shape of the teacher's feature of such a latent.
            gradient_checkpointing: compute each block again in the backward pass instead of keeping it.

        Raises:
            UserError: the decoder has no such block.
        """
        super().__init__()
        if unknown := [name for name, _ in pairs if name not in STAGE_NAMES]:
            raise UserError(
                f"features.blocks: no block {unknown[0]}: it must be one of {', '.join(STAGE_NAMES)}"
            )
        self.decoder = decoder
        self.pairs = list(pairs)
        self.gradient_checkpointing = gradient_checkpointing
        with torch.no_grad():
            _, features = decoder(latent, return_features=True)
        self.heads = nn.ModuleList(
            FeatureHead(features[ours].shape, teacher[theirs]) for ours, theirs in self.pairs
        )

    def forward(self, latent: Tensor, sizes: Sequence[torch.Size]) -> tuple[Tensor, list[Tensor]]:
        """Decodes, and projects the features of each pair.

        Args:
            latent: raw, `[B, C, t, h, w]`.
            sizes: `(T, H, W)` of the teacher's feature of each pair.

        Returns:
            The video `[B, 3, T, H, W]` and, for each pair, the student's feature in the teacher's shape.
        """
        features = {}
        clip = latent
        for stage, blocks in self.decoder.stages():
            for _, block in blocks:
                if self.gradient_checkpointing and torch.is_grad_enabled():
                    clip = checkpoint(block, clip, use_reentrant=False)
                else:
                    clip = block(clip)
            features[stage] = clip
        projected = [
            head(features[ours], size)
            for head, (ours, _), size in zip(self.heads, self.pairs, sizes, strict=True)
        ]
        return clip, projected
