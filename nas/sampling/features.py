"""What a model of quality sees of a design: groups of features, each of unit variance over a space.

Beside what each stage is made of (`nas.sampling.encoding`) it sees how often each operator occurs in the
whole design, since an operator that is good in one stage is likely good in another, and what the design
costs.
"""

from __future__ import annotations

import numpy as np

from nas.sampling.encoding import FEATURES
from search_space.space_file import STAGE_KEYS

GROUPS = ("sizes", "convolutions", "upsamplers", "convolutions_counted", "upsamplers_counted", "costs")

_ALIKE = ("sizes", "costs")  # groups whose features are all brought to the same variance
_OPERATORS = ("conv", "upsampler")


class Features:
    """Scales encodings and costs of designs into features.

    Attributes:
        group: the position in `GROUPS` of each feature's group [F].
    """

    def __init__(self, encoded: np.ndarray, log_costs: np.ndarray) -> None:
        """Learns the scales from designs drawn from a space.

        Args:
            encoded: what they are made of [N, len(FEATURES)].
            log_costs: logarithms of their costs [N, C].
        """
        parts = _parts(encoded, log_costs)
        self._centres = [part.mean(axis=0) for part in parts]
        self._scales = [_scale(part, name in _ALIKE) for name, part in zip(GROUPS, parts, strict=True)]
        self.group = np.repeat(np.arange(len(GROUPS)), [part.shape[1] for part in parts])

    def __call__(self, encoded: np.ndarray, log_costs: np.ndarray | None = None) -> np.ndarray:
        """Features [N, F] of designs, arguments as of the constructor; without costs all but the last."""
        parts = zip(_parts(encoded, log_costs), self._centres, self._scales, strict=log_costs is not None)
        return np.hstack([(part - centre) / scale for part, centre, scale in parts])


def _parts(encoded: np.ndarray, log_costs: np.ndarray | None) -> list[np.ndarray]:
    """The columns of each of `GROUPS`, as they come; without costs of all but the last."""
    kinds = [next((kind for kind in _OPERATORS if f"_{kind}_" in name), None) for name in FEATURES]
    sizes, convolutions, upsamplers = (
        encoded[:, [kind == one for kind in kinds]] for one in (None, *_OPERATORS)
    )
    stages = len(STAGE_KEYS)
    by_stage = [
        each.reshape(len(each), stages, each.shape[1] // stages) for each in (convolutions, upsamplers)
    ]
    counted = [each.sum(axis=1) for each in by_stage]
    without = [sizes, convolutions, upsamplers, *counted]
    return without if log_costs is None else [*without, log_costs]


def _scale(columns: np.ndarray, alike: bool) -> np.ndarray:
    """What to divide columns [N, F] by for a total variance of one, shared alike or as it is now, [F]."""
    deviations = columns.std(axis=0)
    if not alike:
        total = np.sqrt((deviations**2).sum())
        return np.full(len(deviations), total if total > 0 else 1)
    varying = deviations > 0
    return np.where(varying, deviations * np.sqrt(max(varying.sum(), 1)), 1)
