"""What is shown of what the caller gave."""

import pytest

from search_space.errors import without_password


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("postgresql+psycopg://me:secret@host:5432/db", "postgresql+psycopg://me:***@host:5432/db"),
        ("postgresql://me:s:e/c@r?et@host/db", "postgresql://me:***@host/db"),
        ("postgresql//me:secret@host/db", "postgresql//me:***@host/db"),
        ("postgresql://host/db?user=me&password=secret&x=1", "postgresql://host/db?user=me&password=***&x=1"),
        ("postgresql://me@host:5432/db", "postgresql://me@host:5432/db"),
        ("sqlite:////data/study.db", "sqlite:////data/study.db"),
        ("runs/wan", "runs/wan"),
    ],
)
def test_no_password_is_shown(where: str, shown: str) -> None:
    assert without_password(where) == shown
