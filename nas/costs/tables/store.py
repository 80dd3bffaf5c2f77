"""Filled tables, kept on disk between runs.

One file under `$XDG_CACHE_HOME/nas-video-decoders/tables` (by default `~/.cache/...`) for each set of parts
and way of pricing. Its name is a digest of both, of the profile's figures, of the versions of torch and
coremltools, and of the source code that decides what a part is and costs: a change of any makes a new file.
Tables that were not read for a month are removed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zipfile
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

import search_space
from nas.aside import remove_old, written_aside
from nas.costs.cache import directory, source_digest
from nas.costs.tables.filling import Pricing
from nas.costs.tables.parts import Parts
from nas.costs.tables.sums import Table
from nas.lowering.conversion import versions

_KEPT_DAYS = 30

_logger = logging.getLogger(__name__)


def entry(parts: Parts, pricing: Pricing) -> Path:
    """File of these parts, priced in that way; it need not exist."""
    described = [
        [None if part is None else asdict(part) for part in parts.parts],
        pricing.source,
        pricing.lowering,
        pricing.program,
        pricing.profile.digest,
        versions(),
        _code(),
    ]
    key = hashlib.sha256(json.dumps(described).encode()).hexdigest()
    return directory().with_name("tables") / f"{key[:32]}.npz"


@cache
def _code() -> str:
    """Digest of the source code of what is built, lowered and priced."""
    costs = Path(__file__).parents[1]
    folders = (Path(search_space.__file__).parent, costs.parent / "lowering", costs)
    return source_digest(path for folder in folders for path in folder.rglob("*.py"))


def load(path: Path) -> Table | None:
    """The table in `path`. None where there is none, or it is damaged (which is logged with the name)."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            table = Table(**stored)
        os.utime(path)  # it is in use
        return table
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        _logger.warning("table %s is damaged (%s): filling it again", path, error)
        return None


def store(path: Path, table: Table) -> None:
    """Writes `table` to `path`. Where that can't be done, it is logged: the next run fills it again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **vars(table))
        remove_old(path.parent.glob("*.npz"), days=_KEPT_DAYS)
    except OSError as error:
        _logger.warning("table %s can't be written: %s", path, error)
