"""`nas watch`: a running search, seen from another window."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from nas.cli.pareto import NAME, STUDY
from search_space.counting import plural

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, Group
    from rich.table import Table

_EVERY_S = 2.0  # between two looks
_PAUSE = 10  # times as long as a look took, at least: a large study isn't read all the time
_SPARKS = "▁▂▃▄▅▆▇█"
_RUNNING_SHOWN = 16


def watch(study: Annotated[str, STUDY], name: Annotated[str | None, NAME] = None) -> None:
    """Show how a search goes on: its front, the trainings under way, the rate and the time left.

    It only reads, ends with the search, and may be left by Ctrl-C at any time.

    Example: nas watch runs/wan
    """
    from rich.console import Console

    from analysis import load_study

    console = Console(highlight=False, soft_wrap=True)
    try:
        table = load_study(study, name)  # what is wrong with the first look is the caller's
        if console.is_terminal:
            _show_live(console, study, name, table)
        else:
            _print_lines(console, study, name, table)
    except KeyboardInterrupt:
        return


def _looks(study: str, name: str | None, table: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, str]]:
    """The study as it is now and then, the last time after its search is over; what goes wrong is said.

    Yields:
        The table, and a word of why it is an old one, or "".
    """
    from analysis import load_study
    from search_space.errors import UserError

    wrong, took = "", 0.0
    yield table, wrong
    while wrong or living(table):
        time.sleep(max(_EVERY_S, _PAUSE * took))
        began = time.monotonic()
        try:
            table, wrong = load_study(study, name), ""
        except UserError as error:  # a database that is away for a moment
            wrong = str(error)
        took = time.monotonic() - began
        yield table, wrong


def living(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The last beats of the processes that search now."""
    from nas.leases import alive

    return [beat for beat in table.attrs["mains"] if alive(beat)]


def _show_live(console: Console, study: str, name: str | None, table: pd.DataFrame) -> None:
    from rich.live import Live

    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        for current, wrong in _looks(study, name, table):
            live.update(screen(current, wrong), refresh=True)


def _print_lines(console: Console, study: str, name: str | None, table: pd.DataFrame) -> None:
    said = ""
    for current, wrong in _looks(study, name, table):
        line = f"can't be read now: {wrong}" if wrong else headline(current)
        # The time left changes at every look: a line is due when something else does.
        if living(current) and line.partition(", about")[0] != said.partition(", about")[0]:
            console.print(line, markup=False)
        said = line
    console.print(_ending(current), markup=False)


def headline(table: pd.DataFrame) -> str:
    """How far the search is, in one line."""
    from analysis import pareto_front
    from analysis.progress import duration, progress

    budgets = [beat["budget"] for beat in living(table) if beat.get("budget")]
    now = progress(table, max(budgets, default=None))
    counts = table["outcome"].value_counts()
    kinds = [
        f"{counts[kind]:,} {kind}{' (tried again)' if kind == 'interrupted' else ''}"
        for kind in ("trained", "stopped", "refused", "repeated", "failed", "interrupted", "running")
        if counts.get(kind)
    ]
    front = pareto_front(table)
    parts = [
        f"{now.spent:,} of {plural(now.budget, 'training')}"
        if now.budget
        else f"{plural(now.spent, 'training')}",
        " + ".join(kinds) or "no trial yet",
        f"front of {len(front)}",
    ]
    if confirmed := int(table["confirmed"].sum()):
        parts.append(f"{confirmed:,} confirmed")
    if now.per_hour is not None and now.running:
        parts.append(f"{now.per_hour:,.0f} an hour")
    if now.seconds_left is not None:
        parts.append(f"about {duration(now.seconds_left)} left")
    if deadline := _until_deadline(table):
        parts.append(f"no training is begun after {deadline}")
    return ", ".join(parts)


def _until_deadline(table: pd.DataFrame) -> str:
    """When the last of the processes begins no more trainings; nothing where one has no limit."""
    ends = [beat.get("deadline") for beat in living(table)]
    known = [datetime.fromisoformat(end) for end in ends if end]
    if not known or len(known) < len(ends):
        return ""
    return f"{max(known).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def screen(table: pd.DataFrame, wrong: str = "") -> Group:
    """All that is shown on a terminal."""
    from rich.console import Group
    from rich.text import Text

    from analysis import pareto_front
    from nas.cli.front import design_table

    front = pareto_front(table)
    record = table.attrs["study"]
    kind = "Confirmed" if front.attrs["confirmed"] else "Provisional"
    parts: list[Any] = [Text(f"{table.attrs['name']}: {headline(table)}", style="bold")]
    if record["weights"]["kind"] == "stand-in":
        parts.append(
            Text(f"Stand-in teacher, not the real one: {record['weights']['description']}", "yellow")
        )
    if wrong:
        parts.append(Text(f"can't be read now: {wrong}", style="yellow"))
    running = table[table["outcome"] == "running"]
    if len(running):
        parts.append(running_table(running))
    if len(front):
        parts.append(design_table(front, f"{kind} front of {table.attrs['name']}"))
    if not living(table):
        parts.append(Text(_ending(table)))
    return Group(*parts)


def running_table(running: pd.DataFrame) -> Table:
    """The trainings under way, with their curves so far."""
    import pandas as pd
    from rich.markup import escape
    from rich.table import Table

    from analysis import described

    count = f"{len(running):,} under way"
    table = Table("trial", "design", "ms", "step", "PSNR so far", "worker", title=count)
    for row in running.tail(_RUNNING_SHOWN).to_dict("records"):
        curve = row["curve"] or []
        psnrs = [psnr for _, psnr in curve]
        step = f"{row['progress.step']:,} of {row['progress.steps']:,}" if curve else ""
        latency = f"{row['latency_ms']:,.0f}"
        worker = "" if pd.isna(row["worker"]) else str(row["worker"]).removesuffix(".0")
        shown = f"{psnrs[-1]:.2f} {sparkline(psnrs)}" if psnrs else ""
        table.add_row(str(row["number"]), escape(described(row)), latency, step, shown, escape(worker))
    return table


def sparkline(values: list[float]) -> str:
    """A curve in one line of text, from its lowest value to its highest."""
    low = min(values)
    step = (max(values) - low) / (len(_SPARKS) - 1) or 1.0
    return "".join(_SPARKS[round((value - low) / step)] for value in values)


def _ending(table: pd.DataFrame) -> str:
    """Why nothing more is shown."""
    left = int((table["outcome"] == "running").sum())
    dead = (
        f"; {plural(left, 'trial')} of a process that died will be taken up by the next search"
        if left
        else ""
    )
    return f"no process searches now: {headline(table)}{dead}"
