"""What the blocks of a decoder put out while it decodes, caught by hooks."""

from collections.abc import Callable, Collection
from typing import Any

from torch import Tensor, nn

WHOLE = "decoder"  # under this name the output of the decoder itself is kept
_CORNER = 2  # pixels each way


def blocks_of(decoder: Any) -> dict[str, nn.Module]:
    """The mid block and the up blocks of a decoder, as far as it has some, in the order in which they run."""
    blocks = {"mid_block": decoder.mid_block} if hasattr(decoder, "mid_block") else {}
    return blocks | {f"up_block_{i}": block for i, block in enumerate(getattr(decoder, "up_blocks", []))}


def decode_keeping(
    decoder: Any, decode: Callable[[], Tensor], wanted: Collection[str] | None
) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """Decode, and keep what blocks put out, call by call.

    Behind the last block of `wanted` the rest of the decoder takes a corner of the picture for the whole. So
    its blocks run, and those with caches keep them from one piece of time to the next, at next to no cost.

    Args:
        decoder: has the blocks.
        decode: runs it, once or piece by piece of time.
        wanted: names of blocks, or None for all of them and the true video.

    Returns:
        The video `[B, 3, T, H, W]`, and by block name, and under `WHOLE`, one output
        `[B, C', T', H', W']` a call.
    """
    blocks = {name: block for name, block in blocks_of(decoder).items() if wanted is None or name in wanted}
    kept: dict[str, list[Tensor]] = {name: [] for name in (*blocks, WHOLE)}

    def keep(name: str, only_a_corner_goes_on: bool = False) -> Callable[[Any, Any, Any], Any]:
        def hook(_module: Any, _inputs: Any, output: Any) -> Any:
            # CogVideoX's blocks return their output and the cache of their convolutions.
            feature, *caches = output if isinstance(output, tuple) else (output,)
            kept[name].append(feature)
            if not only_a_corner_goes_on:
                return output
            corner = feature[..., :_CORNER, :_CORNER]
            return (corner, *caches) if caches else corner

        return hook

    last = list(blocks)[-1] if wanted else None
    hooks = [block.register_forward_hook(keep(name, name == last)) for name, block in blocks.items()]
    hooks.append(decoder.register_forward_hook(keep(WHOLE)))
    try:
        video = decode()
    finally:
        for hook in hooks:
            hook.remove()
    return video, kept
