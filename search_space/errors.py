"""What the caller got wrong, as one exception that every command turns into one line and exit status 2."""


class UserError(ValueError):
    """A wrong value from outside: the message is one line that names the value and what would be right."""


def first_line(error: Exception) -> str:
    """The first line of what an error says; its class, where it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)
