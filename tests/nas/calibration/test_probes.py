import pytest
import torch

from nas.calibration.packages import PackagedProbe, packaged_probes
from nas.calibration.probes import PROBES, Probe, block_probes, operator_probes, parse_probe
from nas.costs.eager import trace_eager
from nas.costs.operations import COMPUTE_KINDS
from search_space.errors import UserError


def program(probe):
    with torch.device("meta"):
        module = probe.build()
    return trace_eager(module, probe.input_shape, "fp16")


@pytest.mark.parametrize("operator", PROBES)
def test_a_probe_is_known_by_its_name_and_can_be_priced(operator):
    probe = Probe(operator, (16, 16), (3, 8, 8))
    assert parse_probe(probe.name) == probe
    assert program(probe).operations


def test_probes_hold_every_kind_of_operation_that_designs_have():
    probes = operator_probes((64, 64), 5) + block_probes((64, 64), 5)
    assert len({probe.name for probe in probes}) == len(probes)
    kinds = {operation.kind for probe in probes for operation in program(probe).operations}
    assert set(COMPUTE_KINDS) - kinds == {"matrix_product"}
    assert {"elementwise", "reduction", "normalization", "permute", "copy", "resize"} <= kinds


@pytest.mark.parametrize("name", ["silu", "silu-8-1x4x4", "nothing-8x8-1x4x4", "silu-0x8-1x4x4"])
def test_a_name_that_is_no_probe_is_refused(name):
    with pytest.raises(UserError, match="OPERATOR-INxOUT-TxHxW"):
        parse_probe(name)


def test_packaged_probes_are_lowered_blocks():
    assert len({packaged.file_name for packaged in packaged_probes()}) == len(packaged_probes())
    small = Probe("residual_dense", (8, 8), (3, 8, 8))
    for lowering, shape in (("conv3d", (1, 8, 3, 8, 8)), ("shifted_2d", (3, 8, 8, 8))):
        module, input_shape = PackagedProbe(small, lowering).lowered()
        assert input_shape == shape
        assert module(torch.zeros(input_shape)).shape == shape


def test_an_operator_of_pytorch_alone_is_no_package():
    with pytest.raises(UserError, match="for PyTorch"):
        PackagedProbe(Probe("silu", (8, 8), (1, 8, 8)), "conv3d").lowered()
