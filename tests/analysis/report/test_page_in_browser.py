"""The report as a reader meets it: in a real browser, offline, by mouse and by keyboard."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from report_parts import ATTACK
from study_writer import trained

from analysis import finalists, knee, pareto_front
from analysis.report.writing import write_report

Study = tuple[pd.DataFrame, Path]
Written = Callable[..., Study]
Opened = Callable[..., Page]

SHOWN = {  # column: how the DataFrame's value must read
    "number": lambda value: f"{value:,.0f}",
    "psnr": lambda value: f"{value:,.2f}",
    "ssim": lambda value: f"{value:,.3f}",
    "latency_ms": lambda value: f"{value:,.1f}",
    "fps": lambda value: f"{value:,.1f}",
    "params": lambda value: f"{value / 1e6:,.2f}",
    "flops": lambda value: f"{value / 1e12:,.3f}",
    "peak_memory_bytes": lambda value: f"{value / 1e6:,.0f}",
    "repeats": lambda value: f"{value:,.0f}",
}


def text(column: str, value: Any) -> str:
    return "\N{EN DASH}" if pd.isna(value) else SHOWN[column](value)


def rows(page: Page) -> list[dict[str, str]]:
    """What stands in the visible rows of the table of trials."""
    script = (
        "rows => rows.map(r => Object.fromEntries([...r.cells].map(c => [c.dataset.key, c.textContent])))"
    )
    return page.locator("#table tbody tr").evaluate_all(script)


def all_rows(page: Page) -> list[dict[str, str]]:
    found = rows(page)
    while page.locator("#page-on").is_enabled():
        page.locator("#page-on").click()
        found += rows(page)
    return found


def colours(place: Page | Locator) -> int:
    """How many colours a screenshot has."""
    picture = Image.open(io.BytesIO(place.screenshot())).convert("RGB")
    return len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0))


def test_every_figure_is_the_table_s(study_of_all: Study, opened: Opened) -> None:
    table, path = study_of_all
    page = opened(path)
    shown = all_rows(page)
    assert [row["number"] for row in shown] == [f"{number:,}" for number in table["number"]]
    for column in SHOWN:
        assert [row[column] for row in shown] == [text(column, value) for value in table[column]], column
    assert [row["outcome"] for row in shown] == list(table["outcome"])

    front = pareto_front(table).set_index("number")
    cells = page.locator("#front-table tbody tr").evaluate_all(
        "rows => rows.map(r => [r.dataset.number, ...[...r.cells].map(c => c.textContent)])"
    )
    assert [int(number) for number, *_ in cells] == list(front.index)
    columns = ("psnr", "ssim", "latency_ms", "fps", "params", "peak_memory_bytes")
    for number, _, _, *values, _ in cells:
        row = front.loc[int(number)]
        assert values == [text(column, row[column]) for column in columns]

    for number in (front.index[0], front.index[-1]):
        page.locator("#chosen").select_option(str(number))
        for column in columns:
            value = page.locator(f"#design dd[data-key={column}]").inner_text()
            assert value.startswith(text(column, front.loc[number, column])), column
    whole = float(front.iloc[-1]["latency_ms"])
    expect(page.locator("#design-wide .hint").first).to_contain_text(f"{whole:,.1f} ms in all")

    best = front["psnr"].max()
    expect(page.locator(".tiles")).to_contain_text(f"{best:.2f} dB")
    assert page.locator("#summary").inner_text().count(f"{len(front)} of {len(finalists(table))} trained")


def test_the_table_sorts_by_mouse_and_by_keyboard(study_of_all: Study, opened: Opened) -> None:
    table, path = study_of_all
    page = opened(path)
    head = page.locator("#table th[data-key=psnr]")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    best = table["psnr"].dropna().sort_values(ascending=False)
    assert [row["psnr"] for row in rows(page)] == [text("psnr", value) for value in best[:100]]
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert rows(page)[0]["psnr"] == text("psnr", best.min())
    assert all_rows(page)[-1]["psnr"] == "\N{EN DASH}"  # what isn't known comes last either way
    expect(page.locator("th[aria-sort]")).to_have_count(1)
    expect(page.locator("#count")).to_contain_text("by psnr, rising")


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ("fps >= 24", "fps >= 24"),
        ("params<=5M and latency_ms < 0.1s", "params <= 5e6 and latency_ms < 100"),
        ("refused", "outcome == 'refused'"),
        ("fits", "fits == True"),
    ],
)
def test_the_table_filters(study_of_all: Study, opened: Opened, asked: str, query: str) -> None:
    table, path = study_of_all
    page = opened(path)
    page.locator("#filter").fill(asked)
    wanted = table.query(query)
    assert 0 < len(wanted) < len(table)
    expect(page.locator("#count")).to_contain_text(f"{len(wanted)} of {len(table)} trials")
    assert [row["number"] for row in all_rows(page)] == [str(number) for number in wanted["number"]]


def test_a_filter_that_cannot_be_read_is_said_and_changes_nothing(
    study_of_all: Study, opened: Opened
) -> None:
    page = opened(study_of_all[1])
    before = rows(page)
    page.locator("#filter").fill("speed>=24")
    expect(page.locator("#count")).to_have_text("there is no column of numbers 'speed'")
    expect(page.locator("#filter")).to_have_attribute("aria-invalid", "true")
    assert rows(page) == before
    page.locator("#filter").fill("")
    page.locator("#front-only").check()
    assert len(rows(page)) == len(pareto_front(study_of_all[0]))
    page.locator("#outcome").select_option("failed")
    assert rows(page) == []


def test_points_tell_on_hover_and_are_chosen_by_a_click(study_of_all: Study, opened: Opened) -> None:
    table, path = study_of_all
    page = opened(path)
    front = pareto_front(table)
    first = knee(front)["number"]
    expect(page.locator("#design-title")).to_contain_text(f"#{first} ")
    wanted = front[front["number"] != first].iloc[-1]
    page.locator("#plot").scroll_into_view_if_needed()
    place = page.evaluate(
        """number => {
            const at = plot.data.findIndex(trace => trace.name?.startsWith('front'));
            const point = plot.data[at].customdata.indexOf(number);
            const marks = plot.querySelectorAll('.scatterlayer .trace')[at].querySelectorAll('.point');
            const box = marks[point].getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }""",
        int(wanted["number"]),
    )
    page.mouse.move(*place)
    said = page.locator("#plot .hoverlayer .hovertext")
    expect(said).to_contain_text(f"#{wanted['number']}")
    expect(said).to_contain_text(f"{wanted['psnr']:.2f} dB")
    page.mouse.click(*place)
    expect(page.locator("#design-title")).to_contain_text(f"#{wanted['number']} ")
    expect(page.locator("#said")).to_contain_text(f"Trial {wanted['number']} is chosen")
    expect(page.locator("tr.chosen td[data-key=number]")).to_have_text(str(wanted["number"]))
    assert page.locator("#design-wide img").count() == 20
    expect(page.locator("#design-wide code.command")).to_contain_text(f"--trial {wanted['number']} ")


def test_the_keyboard_walks_along_the_front(study_of_all: Study, opened: Opened) -> None:
    table, path = study_of_all
    page = opened(path)
    numbers = [int(number) for number in pareto_front(table)["number"]]
    page.locator("#chosen").select_option(str(numbers[0]))
    page.locator("#plot").focus()
    for number in numbers[1:3]:
        page.keyboard.press("ArrowRight")
        expect(page.locator("#design-title")).to_contain_text(f"#{number} ")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#design-title")).to_contain_text(f"#{numbers[1]} ")
    page.get_by_role("button", name=f"Show trial {numbers[0]}").last.press("Enter")
    expect(page.locator("#design-title")).to_contain_text(f"#{numbers[0]} ")


def test_markup_from_outside_is_text(study_of_all: Study, opened: Opened) -> None:
    table, path = study_of_all
    page = opened(path)
    number = table.loc[table["name"].notna(), "number"].iloc[0]
    page.locator("#filter").fill(f"#{number}")
    page.get_by_role("button", name=f"Show trial {number}").first.click()
    expect(page.locator("#design-title")).to_have_text(re.compile(re.escape(ATTACK)))
    for place in ("#stand-in", "#summary", "#losses", "#settings", "#basis", "#table"):
        assert ATTACK in page.locator(place).inner_text(), place
    # Under the pointer too, where plotly would take markup.
    page.locator("#plot").scroll_into_view_if_needed()
    marks = page.locator("#plot .scatterlayer .trace").last.locator(".point")
    box = marks.last.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#plot .hoverlayer .hovertext").first).to_contain_text("<script>")


def test_a_confirmed_front_comes_first_and_the_search_s_own_beside_it(
    confirmed_study: Study, opened: Opened
) -> None:
    table, path = confirmed_study
    page = opened(path)
    expect(page.locator(".standing.confirmed")).to_contain_text("for 400 steps each")
    listed = page.locator("#chosen option")
    expect(listed).to_have_count(len(pareto_front(table)))
    page.locator("#chosen").select_option("1")
    expect(page.locator("#design dd[data-key=psnr]")).to_contain_text("24.20 dB± 0.28 dB between seeds")
    page.locator("#view").select_option("provisional")
    expect(listed).to_have_count(len(pareto_front(table, provisional=True)))
    expect(page.locator("#design dd[data-key=psnr]")).to_have_text("21.00 dB")


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_nothing_is_blank_or_wider_than_the_screen(
    study_of_all: Study, opened: Opened, width: int, height: int
) -> None:
    page = opened(study_of_all[1], width, height)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for place in ("header", "#summary", "#plot", "#design", "#gallery", "#table", "#losses", "#export"):
        assert colours(page.locator(place)) > 20, place
    for picture in page.locator("img").all():
        assert picture.evaluate("image => image.complete && image.naturalWidth") == 32
    page.locator("#kind").select_option("from_teacher")
    assert colours(page.locator("#gallery")) > 100


FAILED = {"outcome": "failed", "reason": "OutOfMemoryError: too large", "hash": "f", "name": None}
RUNNING = {"outcome": "running", "hash": "r", "name": None}


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([], "No candidate was tried yet."),
        ([trained(25.0, 100.0)], "1 of 1 trained designs form the front"),
        ([FAILED] * 3, "the last because: OutOfMemoryError: too large"),
        ([RUNNING], "1 under way"),
    ],
    ids=["empty", "one", "all failed", "running"],
)
def test_a_study_of_little_says_so(
    written: Written, opened: Opened, records: list[dict[str, Any]], said: str
) -> None:
    table, path = written(records)
    page = opened(path)
    expect(page.locator("#summary")).to_contain_text(said)
    assert len(rows(page)) == len(table)


def test_a_missing_or_broken_picture_is_said(run: Callable[..., Path], opened: Opened) -> None:
    from analysis import load_study

    folder = run([trained(20.0, 50.0), trained(25.0, 100.0)])
    (folder / "broken.png").write_bytes(b"\x89PNG no picture")
    table = load_study(folder)
    path = folder / "report.html"
    write_report(table, path, str(folder), {0: folder / "absent.png", 1: folder / "broken.png"})
    page = opened(path)
    page.locator(".missing summary").click()
    expect(page.locator(".missing")).to_contain_text(f"#0: there is no {folder / 'absent.png'}")
    expect(page.locator(".missing")).to_contain_text(f"#1: {folder / 'broken.png'} can't be read")
    expect(page.locator("#gallery")).to_have_text("There are no frames to show.")
