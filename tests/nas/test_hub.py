"""Exported decoders by the calls of diffusers."""

from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from huggingface_hub import constants

from nas.export import load_exported
from nas.hub import VideoDecoder
from tests.nas.hub_server import HubServer


def test_saved_and_loaded_it_decodes_the_same(exported: Callable[..., Path], tmp_path: Path) -> None:
    folder = exported("decoder")
    (folder / "README.md").write_text("# A card")
    decoder = VideoDecoder.from_pretrained(folder)
    decoder.save_pretrained(tmp_path / "again")
    again = VideoDecoder.from_pretrained(tmp_path / "again")
    latent = torch.randn(1, 16, 3, 4, 4)
    video = again.decode(latent).sample
    assert torch.equal(video, again.decode(latent, return_dict=False)[0])
    with torch.no_grad():
        assert torch.equal(video, load_exported(folder)(latent).clamp(-1, 1))
    assert (tmp_path / "again" / "README.md").read_text() == "# A card"
    assert (tmp_path / "again" / "config.json").read_text() == (folder / "config.json").read_text()


def test_loads_in_another_precision(exported: Callable[..., Path]) -> None:
    decoder = VideoDecoder.from_pretrained(exported("decoder"), torch_dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in decoder.parameters()} == {torch.bfloat16}
    assert not decoder.training


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """The files of a hub that runs on this machine, by name."""
    files: dict[str, bytes] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Server", (HubServer,), {"files": files}))
    thread = Thread(target=server.serve_forever)
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield files
    server.shutdown()
    thread.join()
    server.server_close()


def test_pushed_to_a_hub_and_loaded_from_it_decodes_the_same(
    exported: Callable[..., Path], hub: dict[str, bytes], tmp_path: Path
) -> None:
    folder = exported("decoder")
    (folder / "README.md").write_text("# A card")
    decoder = VideoDecoder.from_pretrained(folder)
    decoder.push_to_hub("me/my-decoder", token="hf_none")
    assert hub["README.md"] == b"# A card"
    assert hub["config.json"] == (folder / "config.json").read_bytes()
    again = VideoDecoder.from_pretrained("me/my-decoder", cache_dir=tmp_path, token="hf_none")
    latent = torch.randn(1, 16, 3, 4, 4)
    assert torch.equal(again.decode(latent).sample, decoder.decode(latent).sample)
    assert again.card == "# A card"
