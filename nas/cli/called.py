"""What a study is called in a command that is printed."""

from __future__ import annotations

import shlex


def called(study: str, name: str | None) -> str:
    """The study as a shell takes it after a command.

    Args:
        study: a run directory, a file, or a storage URL, whose password is left out: databases take it from
            the environment or from a file of their own (PGPASSWORD, ~/.pgpass).
        name: of the study, where the storage may hold several.
    """
    if "://" not in study:
        # A leading hyphen would make it an option.
        where = f"./{study}" if study.startswith("-") else study
    else:
        import sqlalchemy

        url = sqlalchemy.make_url(study)
        query = {key: value for key, value in url.query.items() if "password" not in key.lower()}
        open_to_all = sqlalchemy.URL.create(
            url.drivername, url.username, None, url.host, url.port, url.database, query
        )
        where = open_to_all.render_as_string(hide_password=False)
    words = [where] if name is None else [where, "--name", name]
    return shlex.join(words)
