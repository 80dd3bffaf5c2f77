"""What the caller got wrong, as one exception that every command turns into one line and exit status 2."""

import re


class UserError(ValueError):
    """A wrong value from outside: the message is one line that names the value and what would be right."""


def first_line(error: Exception) -> str:
    """The first line of what an error says; its class, where it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def without_password(where: str) -> str:
    """A storage's URL as it may be shown, also where it is misspelt; paths stay as they are."""
    shown = re.sub(r":(?!//).*@", ":***@", where)
    return re.sub(r"(password=)[^&]*", r"\1***", shown)
