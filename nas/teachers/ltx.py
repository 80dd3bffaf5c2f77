"""`AutoencoderKLLTXVideo`, whose decoders from version 0.9.1 on also take a timestep."""

from torch import Tensor

from search_space.errors import UserError

from .teacher import Autoencoder, Teacher
from .weights import WeightsInUse


class LTXVideoTeacher(Teacher):
    """LTX-Video's autoencoder.

    A decoder conditioned on a timestep (0.9.5 and later) finishes the denoising itself; at timestep 0, which
    is used here, it takes the latent to be clean, as an encoded one is. A decoder that injects noise (0.9.1)
    is refused: its video is no function of the latent, so a student can't learn it.
    """

    def __init__(self, name: str, vae: Autoencoder, weights: WeightsInUse) -> None:
        if any(vae.config.decoder_inject_noise):
            raise UserError(
                f"{weights.source}: this LTX-Video decoder adds random noise (decoder_inject_noise, version "
                "0.9.1), so no student can reproduce it; take 0.9.0, 0.9.5 or a later one"
            )
        super().__init__(name, vae, weights)

    def _decode(self, vae: Autoencoder, latent: Tensor) -> Tensor:
        timestep = latent.new_zeros(latent.shape[0]) if vae.config.timestep_conditioning else None
        return vae.decode(latent, timestep).sample
