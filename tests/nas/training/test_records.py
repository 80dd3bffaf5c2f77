"""What a training writes down."""

import csv
from pathlib import Path

import pytest
import torch

from nas.training.records import Records


def _write(path: Path, begin: int, steps: int, loss: float) -> None:
    records = Records(path, begin)
    for step in range(begin + 1, begin + steps + 1):
        records.add(step, {"loss": loss, "psnr": 30.0} if step % 2 == 0 else {"loss": loss})
    records.show(begin + steps, torch.zeros(3, 8, 8, dtype=torch.uint8))
    records.close()


def test_steps_after_the_checkpoint_are_written_anew(tmp_path: Path) -> None:
    _write(tmp_path / "metrics.csv", 0, 5, loss=1.0)
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("6,0.")  # killed in the middle of a row
    _write(tmp_path / "metrics.csv", 3, 3, loss=2.0)
    with (tmp_path / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["step"]), float(row["loss"])) for row in rows] == [
        (1, 1.0),
        (2, 1.0),
        (3, 1.0),
        (4, 2.0),
        (5, 2.0),
        (6, 2.0),
    ]
    assert [row["psnr"] for row in rows] == ["", "30", "", "30", "", "30"]


def test_tensorboard_reads_the_same(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="needs the tensorboard extra")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _write(tmp_path / "metrics.csv", 0, 5, loss=1.0)
    _write(tmp_path / "metrics.csv", 3, 3, loss=2.0)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    losses = [(event.step, event.value) for event in events.Scalars("training/loss")]
    assert losses == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0), (5, 2.0), (6, 2.0)]
    assert [event.step for event in events.Scalars("validation/psnr")] == [2, 4, 6]
    assert [event.step for event in events.Images("frames")] == [6]
