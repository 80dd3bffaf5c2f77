"""The table of trainings: what its columns are, and how to read it.

    from table import load

    trainings = load()                       # one row a training
    trainings = load(preset="gpu", steps=1400)

Needs pandas and pyarrow alone; `DecoderConfig.from_dict(json.loads(row.config))` rebuilds a design.
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

# Inside the package, since it is the prior of searches too.
TABLE = Path(__file__).parents[2] / "nas" / "sampling" / "trainings.parquet"

_TEXT, _WHOLE, _REAL = pa.string(), pa.int64(), pa.float64()
COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "hash": (_TEXT, "names the architecture (`DecoderConfig.hash`)"),
    "name": (_TEXT, "in designs.csv, or the number of a search's trial"),
    "origin": (
        _TEXT,
        "named, stratum (spread over latency), near (a few steps from a good design); of a search, by the "
        "project's own sampler (search) or by Optuna's (study)",
    ),
    "config": (_TEXT, "the design in the published format, JSON"),
    "params": (_WHOLE, "parameters of the design"),
    "flops": (_WHOLE, "two per multiply-add, for `frames` frames at `resolution`"),
    "latency_ms": (_REAL, "estimated, on `device` for the same clip"),
    "peak_memory_bytes": (_WHOLE, "estimated, likewise"),
    "device": (_TEXT, "the profile that latency and memory were estimated on"),
    "profile_digest": (_TEXT, "which version of that profile"),
    "resolution": (_TEXT, "of the priced clip"),
    "frames": (_WHOLE, "of the priced clip"),
    "preset": (
        _TEXT,
        "settings that these trainings follow or lengthen: shipped ones or others",
    ),
    "preset_steps": (_WHOLE, "steps of that preset"),
    "schedule": (_TEXT, "of the learning rate; under cosine only the last point of a curve is a result"),
    "learning_rate": (_REAL, "at its highest"),
    "settings": (_TEXT, "all settings, JSON"),
    "steps": (_WHOLE, "of this training"),
    "seed": (_WHOLE, "of the first weights and the order of clips"),
    "trained": (
        _TEXT,
        "what was trained, as `config`: the design, or its narrowed copy for a CPU",
    ),
    "trained_params": (_WHOLE, "of what was trained"),
    "trained_flops": (_WHOLE, "likewise"),
    "reason": (_TEXT, "why there is no result; null where there is one"),
    "psnr": (_REAL, "of the validation clips after the last step, dB"),
    "psnr_inside": (_REAL, "away from the borders of frames and clips, dB"),
    "ssim": (_REAL, "of the same clips"),
    "loss": (_REAL, "of the last step"),
    "curve_step": (pa.list_(_WHOLE), "steps at which the curve was measured"),
    "curve_psnr": (
        pa.list_(_REAL),
        "PSNR at those steps, dB, of all validation clips (of some of them in a search)",
    ),
    "seconds_build": (_REAL, "wall clock"),
    "seconds_train": (_REAL, "wall clock, measurements of the curve included"),
    "seconds_validate": (_REAL, "wall clock"),
    "seconds_processor": (
        _REAL,
        "the process's own, which compare on a busy machine too; or null",
    ),
    "hardware": (_TEXT, "that trained"),
    "processes": (_WHOLE, "that trained at the same time on it, so that seconds are not of one alone"),
    "teacher": (_TEXT, "whose latents were decoded"),
    "weights": (_TEXT, "of the teacher: stand-in, hub or path"),
    "weights_digest": (_TEXT, "SHA-256 of the teacher's weights"),
    "footage_digest": (_TEXT, "of the clips' pixels"),
    "teacher_psnr": (_REAL, "of the teacher itself on the validation clips, dB"),
    "versions": (_TEXT, "of this project, PyTorch and diffusers, JSON"),
}
"""Every column but the design's parameters, which are `param.NAME` as in a study's table."""


def load(
    path: Path = TABLE,
    *,
    preset: str | None = None,
    steps: int | None = None,
    weights: str | None = "stand-in",
) -> pd.DataFrame:
    """Trainings, one a row, in the order of the list of designs.

    Args:
        path: of the parquet file.
        preset: only those with its settings.
        steps: only those of this length.
        weights: of the teacher, as the column says: the shipped stand-in, a second one (path), or all.
    """
    trainings = pd.read_parquet(path)
    if weights is not None:
        trainings = trainings[trainings["weights"] == weights]
    if preset is not None:
        trainings = trainings[trainings["preset"] == preset]
    if steps is not None:
        trainings = trainings[trainings["steps"] == steps]
    return trainings.reset_index(drop=True)


def write(rows: list[dict[str, object]], path: Path) -> None:
    """Writes rows with the columns above and those of parameters, described in the file's schema."""
    parameters = sorted({key for row in rows for key in row if key.startswith("param.")})
    text = {key for row in rows for key in parameters if isinstance(row[key], str)}
    fields = [
        pa.field(name, kind, metadata={"description": description})
        for name, (kind, description) in COLUMNS.items()
    ]
    fields += [pa.field(name, _TEXT if name in text else _WHOLE) for name in parameters]
    unfinished = path.with_suffix(".unfinished")
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(fields)), unfinished, compression="zstd")
    unfinished.replace(path)
