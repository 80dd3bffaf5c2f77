"""Published decoders: their names and shapes, their parameter counts, their outputs."""

import json

import pytest
import torch
from safetensors import safe_open

from search_space import DecoderConfig, build_decoder

# Millions of parameters, Turbo-VAED (arXiv 2508.09136), table 1.
PUBLISHED = {"Hunyuan": 40.7, "Cog": 40.7, "DC": 45.8, "LTX": 41.9}


@pytest.mark.parametrize(("name", "millions"), PUBLISHED.items())
def test_names_shapes_and_parameter_count_are_the_published_ones(shared, name, millions):
    config = DecoderConfig.load(shared / f"facts/Turbo-VAED-{name}.json")
    with torch.device("meta"):
        decoder = build_decoder(config)
    shapes = json.loads((shared / "facts/state_dict_shapes.json").read_text())[name]
    assert {key: list(value.shape) for key, value in decoder.state_dict().items()} == shapes
    assert round(sum(p.numel() for p in decoder.parameters()) / 1e6, 1) == millions
    assert config.is_published


@pytest.mark.parametrize("name", ["tiny-hunyuan", "tiny-dc", "tiny-ltx"])
def test_outputs_and_features_equal_the_published_implementations(shared, name):
    with safe_open(shared / f"golden/{name}.safetensors", "pt") as golden:
        config = DecoderConfig.from_dict(json.loads(golden.metadata()["config"]))
        tensors = {key: golden.get_tensor(key) for key in golden.keys()}  # noqa: SIM118
    weights = {
        key.removeprefix("weight."): value for key, value in tensors.items() if key.startswith("weight.")
    }
    decoder = build_decoder(config).eval()
    decoder.load_state_dict(weights, strict=True)

    with torch.no_grad():
        video, features = decoder(tensors["latent"], return_features=True)
    torch.testing.assert_close(video, tensors["output"], atol=1e-4, rtol=0)
    expected = {
        key.removeprefix("feature."): value for key, value in tensors.items() if key.startswith("feature.")
    }
    for block, feature in expected.items():
        torch.testing.assert_close(features[block], feature, atol=1e-4, rtol=0)
