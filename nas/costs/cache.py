"""Operations of converted blocks, kept on disk between runs.

One JSON file a block under `$XDG_CACHE_HOME/nas-video-decoders/coreml` (by default `~/.cache/...`). Its name
is a digest of the block's graph and of the versions that converted it, so a changed block or an upgraded
library never meets an old entry. A file is written beside its place and renamed, so writers may be killed or
run side by side.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from pathlib import Path

from nas.costs.operations import Program

FORMAT = 4  # raise it when what a Program holds, or how it is read from a conversion, changes

_logger = logging.getLogger(__name__)


def directory() -> Path:
    """Where entries lie; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "nas-video-decoders" / "coreml"


def entry(fingerprint: str, versions: dict[str, str]) -> Path:
    """File of the block with this graph fingerprint, converted by these versions."""
    key = json.dumps([FORMAT, fingerprint, versions], sort_keys=True)
    return directory() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def load(path: Path) -> Program | None:
    """The program in `path`. None where there is none, or it is damaged (which is logged with the name)."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        _logger.warning("cache entry %s can't be read (%s): converting again", path, error)
        return None
    try:
        stored = json.loads(text)
        if stored["digest"] != _digest(stored["program"]):
            raise ValueError("its digest does not match")
        return Program.from_dict(stored["program"])
    except (ValueError, KeyError, TypeError) as error:
        _logger.warning("cache entry %s is damaged (%s): converting again", path, error)
        return None


def store(path: Path, program: Program) -> None:
    """Writes `program` to `path`. Where that can't be done, it is logged: the next run converts again."""
    data = program.to_dict()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w") as file:
            json.dump({"digest": _digest(data), "program": data}, file)
        Path(temporary).replace(path)
    except OSError as error:
        _logger.warning("cache entry %s can't be written: %s", path, error)


def _digest(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
