"""Which processor of a device runs a block.

The runtime decides for itself and says so only on the device. Taken here: a block stays on one unit, the
first of the profile that takes all its operations, for moving tensors between units costs more than it
brings.
"""

from __future__ import annotations

from nas.costs.hardware import Hardware, HardwareUnit
from nas.costs.operations import COMPUTE_KINDS, Program


def placed(program: Program, hardware: Hardware) -> str:
    """Name of the unit that runs `program`."""
    *preferred, last = hardware.units
    return next((name for name in preferred if takes(hardware.units[name], program)), last)


def takes(unit: HardwareUnit, program: Program) -> bool:
    """Whether `unit` runs every operation of `program`: it takes the kind, the rank and the axes."""
    for operation in program.operations:
        if operation.kind in COMPUTE_KINDS and operation.kind not in unit.rates:
            return False
        if unit.highest_rank is not None and operation.rank > unit.highest_rank:
            return False
    if unit.longest_axis is None:
        return True
    used = {i for operation in program.operations for i in (*operation.inputs, *operation.outputs)}
    return all(max(program.shapes[i]) <= unit.longest_axis for i in used)
