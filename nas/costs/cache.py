"""Operations of converted blocks, kept on disk between runs.

One JSON file a block under `$XDG_CACHE_HOME/nas-video-decoders/coreml` (by default `~/.cache/...`). Its name
is a digest of the block's graph, of the versions that converted it and of the source code that converts and
reads it, so a changed block, library or table of operations never meets an old entry.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from nas.aside import written_aside
from nas.costs.operations import Program

_logger = logging.getLogger(__name__)


def directory() -> Path:
    """Where entries lie; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "nas-video-decoders" / "coreml"


def entry(fingerprint: str, versions: dict[str, str]) -> Path:
    """File of the block with this graph fingerprint, converted by these versions."""
    key = json.dumps([_code(), fingerprint, versions], sort_keys=True)
    return directory() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def source_digest(files: Iterable[Path]) -> str:
    """Digest of the contents of source files."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def _code() -> str:
    """Digest of the code that converts a block and reads its operations."""
    costs = Path(__file__).parent
    own = [costs / f"{name}.py" for name in ("coreml", "operations", "trace")]
    return source_digest([*own, costs.parent / "lowering" / "conversion.py"])


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
        with written_aside(path) as temporary:
            temporary.write_text(json.dumps({"digest": _digest(data), "program": data}))
    except OSError as error:
        _logger.warning("cache entry %s can't be written: %s", path, error)


def _digest(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
