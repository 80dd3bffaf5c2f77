"""What ends a search that nobody asked for wrongly."""

GOES_ON = "finished trials are kept, and the same command continues"


class SearchError(RuntimeError):
    """The search can't go on: the message says why, in one line. What was finished is kept."""
