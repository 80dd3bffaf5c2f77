"""Which up blocks upsample and which double time, as the compression, the patch and the placement decide."""

UP_BLOCKS = 4

Layout = tuple[tuple[bool, bool], ...]
"""For each up block, latent to pixels: whether it upsamples, and whether it doubles time as well."""


def doublings(factor: int) -> int:
    """Base-2 logarithm of a power of two."""
    return factor.bit_length() - 1


def upsampling_blocks(compression: tuple[int, ...], patch_size: int) -> int:
    """How many up blocks upsample: the head makes patch_size of the spatial factor, each of them 2."""
    return doublings(compression[1]) - doublings(patch_size)


def layout(compression: tuple[int, ...], patch_size: int, time_doubling: str) -> Layout:
    """The last up blocks upsample, as published; the "early" or the "late" ones of them double time."""
    upsampling = upsampling_blocks(compression, patch_size)
    doubling = doublings(compression[0])
    before = UP_BLOCKS - (upsampling if time_doubling == "early" else doubling)
    return tuple(
        (block >= UP_BLOCKS - upsampling, before <= block < before + doubling) for block in range(UP_BLOCKS)
    )
