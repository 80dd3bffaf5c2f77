"""The image networks have the sizes that were published with their latencies."""

import pytest
import torch

from benchmarks.networks.fastvit import fastvit
from benchmarks.networks.mobileone import mobileone
from nas.costs.trace import trace

# Million parameters and giga multiply-adds: arXiv 2206.04040, table 9; huggingface.co/apple/coreml-FastViT-T8
# and -MA36.
PUBLISHED = [
    (mobileone, "s0", 224, 2.1, 0.275),
    (mobileone, "s1", 224, 4.8, 0.825),
    (mobileone, "s2", 224, 7.8, 1.299),
    (mobileone, "s3", 224, 10.1, 1.896),
    (mobileone, "s4", 224, 14.8, 2.978),
    (fastvit, "t8", 256, 4.0, 0.7),
    (fastvit, "ma36", 256, 44.1, 7.8),
]


@pytest.mark.parametrize(
    ("build", "variant", "edge", "params", "multiply_adds"),
    PUBLISHED,
    ids=[f"{row[0].__name__}-{row[1]}" for row in PUBLISHED],
)
def test_networks_have_their_published_size(build, variant, edge, params, multiply_adds):
    with torch.device("meta"):
        network = build(variant).eval()
    assert sum(weight.numel() for weight in network.parameters()) / 1e6 == pytest.approx(params, abs=0.15)
    flops = trace(network, (1, 3, edge, edge)).program.flops
    assert flops / 2e9 == pytest.approx(multiply_adds, rel=0.025)


@pytest.mark.parametrize(("build", "variant"), [(mobileone, "s4"), (fastvit, "sa12")])
def test_networks_run(build, variant):
    assert build(variant).eval()(torch.rand(1, 3, 64, 64)).shape == (1, 1000)
