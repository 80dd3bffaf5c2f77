"""Writing a device profile as the YAML that `nas.costs.load_device` reads."""

from __future__ import annotations

from pathlib import Path

import yaml

from nas.aside import written_aside
from nas.costs.device import DeviceProfile


def write_profile(profile: DeviceProfile, path: Path) -> None:
    """Writes `path`, whole or not at all."""
    content = profile.model_dump(mode="json", exclude_none=True)
    text = yaml.dump(content, sort_keys=False, width=10**6, default_flow_style=None, allow_unicode=True)
    with written_aside(path) as temporary:
        temporary.write_text(f"# Written by nas calibrate.\n{text}", encoding="utf-8")
