"""Packages on disk: what they hold, and how large it is."""

import coremltools as ct
import pytest
import torch
from lowered_designs import small_design

from nas.lowering.package import BITS, save_package, save_streaming_packages
from search_space import build_decoder
from search_space.errors import UserError

LATENT = (1, 4, 2, 2, 3)


@pytest.fixture(scope="module")
def decoder():
    torch.manual_seed(0)
    config = small_design("dense", "nearest", 1, time_padding="causal")
    return build_decoder(config).half().float().eval()


def loaded(path):
    return ct.models.MLModel(str(path), skip_model_load=True)


def bytes_of(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def features(path):
    description = loaded(path).get_spec().description
    return [
        {feature.name: tuple(feature.type.multiArrayType.shape) for feature in features}
        for features in (description.input, description.output)
    ]


def test_a_package_says_what_it_takes_and_which_design_it_is(decoder, tmp_path):
    path = tmp_path / "decoder.mlpackage"
    save_package(decoder, "shifted_2d", LATENT, path)
    assert features(path) == [{"latent": LATENT}, {"video": (1, 3, 5, 16, 24)}]
    metadata = loaded(path).user_defined_metadata
    assert {name: metadata[name] for name in ("design", "lowering", "bits")} == {
        "design": decoder.config.hash,
        "lowering": "shifted_2d",
        "bits": "16",
    }
    assert list(tmp_path.iterdir()) == [path]


def test_fewer_bits_make_it_smaller(decoder, tmp_path):
    sizes = []
    for bits in BITS:
        path = tmp_path / f"{bits}.mlpackage"
        save_package(decoder, "conv3d", LATENT, path, bits)
        sizes.append(bytes_of(path))
    assert sizes[0] > sizes[1] > sizes[2]


def test_streaming_packages_pass_their_states_on(decoder, tmp_path):
    first, later = tmp_path / "first.mlpackage", tmp_path / "later.mlpackage"
    save_streaming_packages(decoder, (1, 4, 2, 3), first, later)
    (_, given), (taken, passed_on) = features(first), features(later)
    assert given["frames"] == (1, 3, 16, 24)
    assert passed_on["frames"] == (4, 3, 16, 24)
    states = {name.removesuffix("_out"): shape for name, shape in given.items() if name != "frames"}
    assert states == {name.removesuffix("_in"): shape for name, shape in taken.items() if name != "latent"}
    assert states == {
        name.removesuffix("_out"): shape for name, shape in passed_on.items() if name != "frames"
    }


@pytest.mark.parametrize(
    ("name", "bits", "message"),
    [
        ("decoder", 16, "decoder': give a path that ends in .mlpackage"),
        ("decoder.mlpackage", 6, "6 bits a weight: it must be one of 16, 8, 4"),
    ],
)
def test_what_can_not_be_written_is_said(decoder, tmp_path, name, bits, message):
    with pytest.raises(UserError, match=message):
        save_package(decoder, "conv3d", LATENT, tmp_path / name, bits)
