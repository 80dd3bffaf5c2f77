"""What the tests of kernels share: they need a GPU to run on."""

import importlib.util

import pytest
import torch


@pytest.fixture(autouse=True)
def _gpu() -> None:
    """Skips where there is no GPU, and has fp32 convolutions computed in fp32."""
    if not torch.cuda.is_available() or importlib.util.find_spec("triton") is None:
        pytest.skip("Triton's kernels need a CUDA GPU and Triton")
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
