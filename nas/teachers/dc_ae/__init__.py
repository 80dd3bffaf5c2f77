"""Video DC-AE, the autoencoder of Open-Sora 2.0, and how it is a teacher."""

from .autoencoder import LATENT_CHANNELS, MODEL_NAME, VideoDCAE, VideoDCAEConfig, VideoDCAEDecoder

__all__ = ["LATENT_CHANNELS", "MODEL_NAME", "VideoDCAE", "VideoDCAEConfig", "VideoDCAEDecoder"]
