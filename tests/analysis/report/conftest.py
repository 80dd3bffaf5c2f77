"""A real browser, and studies with all that a report can show."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from report_parts import ATTACK, stages_of, write_frames
from study_writer import confirmation, random_records, refused, study_record, trained

from analysis import load_study, pareto_front
from analysis.report.writing import write_report

# A browser that asks nobody for anything; no sandbox, since tests may run as root.
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page offline; the test fails where the page logs an error or asks for another file."""
    contexts, wrong = [], []

    def open_page(path: Path, width: int = 1280, height: int = 900) -> Page:
        context = browser.new_context(viewport=ViewportSize(width=width, height=height), offline=True)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: wrong.append(asked.url) if _foreign(asked.url, path) else None)
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelector('#count').textContent !== ''")
        return page

    yield open_page
    attacks = [page.evaluate("window.attacked") for context in contexts for page in context.pages]
    for context in contexts:
        context.close()
    assert wrong == []
    assert set(attacks) <= {None}


def _foreign(url: str, path: Path) -> bool:
    return not url.startswith(("data:", "blob:")) and url.partition("#")[0] != path.as_uri()


@pytest.fixture
def written(run: Callable[..., Path]) -> Callable[..., tuple[pd.DataFrame, Path]]:
    """Writes a study and its report, with frames and stages for its front: the table and the page."""

    def write(records: list[dict[str, Any]], **options: Any) -> tuple[pd.DataFrame, Path]:
        folder = run(records, **options)
        table = load_study(folder)
        frames = {}
        for number in pareto_front(table)["number"]:
            frames[int(number)] = folder / f"frames-{number}.png"
            write_frames(frames[int(number)], seed=int(number))
        page = folder / "report.html"
        write_report(table, page, str(folder), frames, stages_of(table))
        return table, page

    return write


@pytest.fixture
def study_of_all(written: Callable[..., tuple[pd.DataFrame, Path]]) -> tuple[pd.DataFrame, Path]:
    """A study of every outcome, with repeats and a published design, and words that try to be markup."""
    records = random_records(130, seed=1)
    records += [
        trained(24.5, 1600.0, 40.7e6, name=ATTACK),
        trained(26.2, 210.0, hash="twice"),
        trained(26.6, 210.0, hash="twice"),
        refused(5000.0, f"latency_ms is 5000, not <= 2000 {ATTACK}"),
        refused(6000.0, f"latency_ms is 6000, not <= 2000 {ATTACK}"),
        {"outcome": "failed", "reason": f"OutOfMemoryError: {ATTACK}", "hash": "f", "name": None},
        {
            "outcome": "stopped",
            "reason": "20.1 dB at step 50, 23.0 needed",
            "hash": "s",
            "name": None,
            "curve": [[50, 20.1]],
            "stopped": {"step": 50, "psnr": 20.1, "chance": 0.02, "seconds_left": 300.0},
        },
    ]
    hostile = {"kind": "stand-in", "source": ATTACK, "digest": "0", "description": f"a stand-in {ATTACK}"}
    study = study_record(weights=hostile, sources=[ATTACK], versions={ATTACK: ATTACK}, preset=ATTACK)
    return written(records, attributes={"study": study})


@pytest.fixture
def confirmed_study(written: Callable[..., tuple[pd.DataFrame, Path]]) -> tuple[pd.DataFrame, Path]:
    """A study whose best designs were trained again at the end."""
    records = [trained(20.0 + i, 50.0 * 2**i) for i in range(5)]
    again = {"confirmed:1": confirmation(24.0, 24.4), "confirmed:3": confirmation(26.0, 26.2)}
    return written(records, attributes={"study": study_record()} | again)
