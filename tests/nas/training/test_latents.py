"""Which clips a training sees, and the latents it keeps."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
import torch

from nas.clips.stream import ClipStream, find_footage
from nas.teachers import Teacher, load_teacher
from nas.training.latents import LatentStore, NumberedClips, Shares, batches, sample
from search_space.errors import UserError


@pytest.fixture(scope="module")
def teacher(tiny_teacher: Path) -> Teacher:
    return load_teacher(tiny_teacher)


@pytest.fixture(scope="module")
def stream(footage: Path) -> Callable[[int], ClipStream]:
    found = find_footage(
        footage,
        frames=5,
        validation_frames=9,
        size=32,
        validation=1,
        surveyed_frames=1024,
        surveyed_files=8,
        seed=0,
    )
    return lambda seed: ClipStream(found.train, 5, 32, seed, mirrored=True)


def test_processes_share_out_what_one_would_see() -> None:
    alone = list(islice(Shares(first=6, batch=3, processes=1, process=0), 4))
    assert alone == [[6, 7, 8], [9, 10, 11], [12, 13, 14], [15, 16, 17]]
    first, second = (list(islice(Shares(6, 3, 2, process), 2)) for process in (0, 1))
    assert [numbers for pair in zip(first, second, strict=True) for numbers in pair] == alone


def test_a_number_is_always_the_same_clip(stream: Callable[[int], ClipStream]) -> None:
    clips = [stream(0)[number] for number in range(6)]
    again = next(batches(NumberedClips(stream(0)), Shares(2, 3, 1, 0), workers=0, pin=False))
    assert again["number"].tolist() == [2, 3, 4]
    assert torch.equal(again["clip"], torch.stack(clips[2:5]))
    assert not torch.equal(clips[0], clips[1])
    assert not torch.equal(clips[0], stream(1)[0])


def test_kept_latents_come_back_each_once_before_any_again(
    stream: Callable[[int], ClipStream], teacher: Teacher, tmp_path: Path
) -> None:
    store = LatentStore(tmp_path / "latents", stream(0), 4)
    store.begin(teacher)
    for number in store.missing():
        store.add(number, teacher)
    assert store.missing() == []
    means = [store[number]["mean"] for number in range(8)]
    for epoch in (means[:4], means[4:]):
        assert len({tuple(mean.flatten().tolist()) for mean in epoch}) == 4
    assert not torch.equal(torch.stack(means[:4]), torch.stack(means[4:]))
    clip, mean = store[0]["clip"], store[0]["mean"]
    torch.testing.assert_close(mean[None], teacher.encode(clip[None].float().div(127.5).sub(1)))


def test_latents_of_another_teacher_or_other_clips_are_refused(
    stream: Callable[[int], ClipStream], teacher: Teacher, tmp_path: Path
) -> None:
    LatentStore(tmp_path / "latents", stream(0), 4).begin(teacher)
    with pytest.raises(UserError, match="holds latents of another seed"):
        LatentStore(tmp_path / "latents", stream(1), 4).begin(teacher)
    with pytest.raises(UserError, match="holds latents of another teacher"):
        LatentStore(tmp_path / "latents", stream(0), 4).begin(load_teacher("wan", "stand-in"))


def test_samples_have_the_posteriors_mean_and_deviation() -> None:
    mean, std = torch.full((64, 4, 3, 4, 4), 5.0), torch.full((64, 4, 3, 4, 4), 2.0)
    drawn = sample(mean, std, torch.arange(64), seed=0)
    assert drawn.mean() == pytest.approx(5, abs=0.1)
    assert drawn.std() == pytest.approx(2, abs=0.1)
    assert torch.equal(drawn[7:8], sample(mean[:1], std[:1], torch.tensor([7]), seed=0))
    assert torch.equal(sample(mean, 0 * std, torch.arange(64), seed=0), mean)
