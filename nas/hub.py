"""Exported decoders by the calls of diffusers: `from_pretrained`, `save_pretrained`, `push_to_hub`, `decode`.

The files are those of `nas export`, whose weights are named `model.safetensors` as other code expects them,
so this builds on huggingface_hub's mixin and not on diffusers' `ModelMixin`, which has a name of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from huggingface_hub import ModelHubMixin, snapshot_download
from safetensors.torch import save
from torch import Tensor

from nas.export import CARD, CONFIG, WEIGHTS, load_exported
from search_space import DecoderConfig
from search_space.decoder import Decoder

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vae import DecoderOutput


class VideoDecoder(Decoder, ModelHubMixin, library_name="nas-video-decoders"):
    """A decoder in place of a pipeline's own.

        decoder = VideoDecoder.from_pretrained("decoder", torch_dtype=torch.bfloat16).to("cuda")
        pipeline.vae.decode = decoder.decode

    Attributes:
        card: the model card that came with it, which `save_pretrained` and `push_to_hub` take along.
    """

    def __init__(self, design: DecoderConfig) -> None:
        super().__init__(design)
        self.card: str | None = None

    def decode(self, z: Tensor, return_dict: bool = True) -> DecoderOutput | tuple[Tensor]:
        """The video `[B, 3, T, H, W]` in -1..1 of raw latents `[B, C, t, h, w]`, as autoencoders give it."""
        from diffusers.models.autoencoders.vae import DecoderOutput

        with torch.no_grad():
            video = self(z).clamp(-1, 1)
        return DecoderOutput(sample=video) if return_dict else (video,)

    def _save_pretrained(self, save_directory: Path) -> None:
        self.config.save(save_directory / CONFIG)
        weights = {name: tensor.cpu().contiguous() for name, tensor in self.state_dict().items()}
        (save_directory / WEIGHTS).write_bytes(save(weights, metadata={"format": "pt"}))
        if self.card is not None:
            (save_directory / CARD).write_text(self.card, encoding="utf-8")

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id: str,
        revision: str | None,
        cache_dir: str | Path | None,
        force_download: bool,
        local_files_only: bool,
        token: str | bool | None,
        torch_dtype: torch.dtype | None = None,
        **unused: Any,
    ) -> VideoDecoder:
        """Loads a folder, or a repository of the hub.

        Raises:
            UserError: a file is missing, or the weights are not the configuration's.
        """
        folder = Path(model_id)
        if not folder.is_dir():
            folder = Path(
                snapshot_download(
                    model_id,
                    revision=revision,
                    cache_dir=cache_dir,
                    force_download=force_download,
                    local_files_only=local_files_only,
                    token=token,
                    allow_patterns=[CONFIG, WEIGHTS, CARD],
                )
            )
        loaded = load_exported(folder)
        decoder = cls(loaded.config)
        decoder.load_state_dict(loaded.state_dict())
        if (folder / CARD).is_file():
            decoder.card = (folder / CARD).read_text(encoding="utf-8")
        return decoder.to(torch_dtype).eval() if torch_dtype is not None else decoder.eval()
