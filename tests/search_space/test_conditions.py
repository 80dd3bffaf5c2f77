"""The grammar of conditions."""

import pytest

from search_space.conditions import Condition, parse_condition
from search_space.errors import UserError

NAMES = ("params", "fps", "latency_ms", "peak_memory_bytes", "fits", "param.up_2.conv")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("params<=45M", Condition("params", "<=", 45e6)),
        ("  fps  >=  24 ", Condition("fps", ">=", 24.0)),
        ("latency_ms < 1.5e2ms", Condition("latency_ms", "<", 150.0)),
        ("latency_ms<0.2 s", Condition("latency_ms", "<", 200.0)),
        ("peak_memory_bytes > .5GB", Condition("peak_memory_bytes", ">", 5e8)),
        ("fits", Condition("fits")),
    ],
)
def test_reads(text: str, expected: Condition) -> None:
    assert parse_condition(text, NAMES) == expected


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "expected a name"),
        (">= 24", "expected a name"),
        ("fps >= 24 30", "'24 30'"),
        ("fps == 24", "'=='"),
        ("fps >=", "''"),
        ("fps >= lots", "'lots'"),
        ("params <= 45MB", "'MB'"),
        ("latency_ms <= 30M", "'M'"),
        ("latency < 30", "did you mean 'latency_ms'"),
        ("__import__('os') > 1", "__import__('os')"),
    ],
)
def test_names_the_wrong_part(text: str, wrong: str) -> None:
    with pytest.raises(UserError) as error:
        parse_condition(text, NAMES)
    assert wrong in str(error.value)
    assert "\n" not in str(error.value)


def test_holds() -> None:
    row = {"fps": 24.0, "params": None, "fits": True, "latency_ms": float("nan"), "param.up_2.conv": "dw3"}
    assert parse_condition("fps >= 24", NAMES).holds(row)
    assert not parse_condition("fps > 24", NAMES).holds(row)
    assert parse_condition("fits", NAMES).holds(row)
    assert not parse_condition("params <= 45M", NAMES).holds(row)
    assert not parse_condition("latency_ms < 1", NAMES).holds(row)
    with pytest.raises(UserError, match="'dw3', not a number"):
        parse_condition("param.up_2.conv > 3", NAMES).holds(row)
