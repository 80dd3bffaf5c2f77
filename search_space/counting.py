"""How counts read in what is said to people."""


def plural(count: int, noun: str) -> str:
    """``"1 design"``, ``"1,000 designs"``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
