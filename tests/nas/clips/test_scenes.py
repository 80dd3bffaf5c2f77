from pathlib import Path

import numpy as np
import pytest

from nas.clips.scenes import LOOKS_PER_SHOT, Shot, find_cuts, group_scenes, survey
from nas.clips.split import split_scenes
from search_space.errors import UserError


def _looks(*values: float) -> np.ndarray:
    return np.repeat(np.array(values, np.float32)[:, None], 768, axis=1)


def _shot(first: int, stop: int, value: float, name: str = "a.mp4", follows: bool = False) -> Shot:
    return Shot(Path(name), 0.0, first, stop, _looks(*[value] * LOOKS_PER_SHOT), follows)


def test_a_cut_stands_out_from_the_motion_around_it() -> None:
    still = [0.2] * 10 + [0.6] * 10
    assert find_cuts(_looks(*still)) == [10]
    fast = np.cumsum([0.15, -0.15] * 10)  # every frame changes by more than a cut must
    assert find_cuts(_looks(*fast)) == []


def test_shots_that_look_alike_are_one_scene_also_in_other_files() -> None:
    first, other = _shot(0, 30, 0.2), _shot(30, 60, 0.6)
    again, copy = _shot(60, 90, 0.21), _shot(0, 90, 0.61, "b.mp4")
    assert group_scenes([first, other, again, copy]) == [[first, again], [other, copy]]


def test_shots_on_either_side_of_unseen_time_are_one_scene() -> None:
    before, after, next_shot = _shot(0, 30, 0.2), _shot(0, 20, 0.5, follows=True), _shot(20, 40, 0.9)
    assert group_scenes([before, after, next_shot]) == [[before, after], [next_shot]]


def test_a_fifth_of_the_scenes_is_held_out() -> None:
    scenes = [[_shot(0, 50, i / 20, f"{i}.mp4")] for i in range(20)]
    split = split_scenes(scenes, 9, 17, 8, "videos", np.random.default_rng(0))
    assert (len(split.train), len(split.validation)) == (16, 4)
    assert not {id(scene[0]) for scene in split.train} & {id(scene[0]) for scene in split.validation}


def test_a_single_scene_is_split_in_time_with_a_gap_and_it_is_said() -> None:
    split = split_scenes([[_shot(0, 100, 0.5)]], 9, 17, 8, "videos", np.random.default_rng(0))
    ((train,),), ((validation,),) = split.train, split.validation
    assert (train.first, train.stop) == (0, 100 - 20 - 9)
    assert (validation.first, validation.stop) == (80, 100)
    assert "9 frames after" in split.description


def test_copies_of_a_single_scene_end_where_it_does_for_training() -> None:
    scene = [_shot(0, 100, 0.5, "a.mp4"), _shot(0, 50, 0.5, "half_the_rate.mp4"), _shot(0, 100, 0.5, "z.mp4")]
    split = split_scenes([scene], 9, 17, 8, "videos", np.random.default_rng(0))
    ((validation,),) = split.validation
    assert (validation.path.name, validation.first, validation.stop) == ("a.mp4", 80, 100)
    assert [(shot.path.name, shot.stop) for shots in split.train for shot in shots] == [
        ("a.mp4", 71),
        ("half_the_rate.mp4", 35),
        ("z.mp4", 71),
    ]


def test_where_the_other_scenes_are_too_short_to_train_on_the_long_one_is_split() -> None:
    short = [[_shot(5 * i, 5 * i + 5, 0.9 - i / 40)] for i in range(30)]
    split = split_scenes([*short, [_shot(150, 200, 0.1)]], 9, 17, 8, "videos", np.random.default_rng(0))
    ((train,),), ((validation,),) = split.train, split.validation
    assert (train.first, train.stop, validation.first, validation.stop) == (150, 174, 183, 200)


def test_of_two_long_scenes_among_short_ones_one_is_trained_on() -> None:
    short = [[_shot(5 * i, 5 * i + 5, 0.9 - i / 400)] for i in range(80)]
    long = [[_shot(400, 440, 0.1)], [_shot(440, 480, 0.2)]]
    split = split_scenes([*short, *long], 9, 17, 8, "videos", np.random.default_rng(0))
    assert sorted(scene[0].first for scene in [*split.train, *split.validation]) == [400, 440]


def test_the_only_long_scene_is_not_held_out_whole() -> None:
    scenes = [[_shot(0, 100, 0.1)], [_shot(100, 110, 0.9)]]
    split = split_scenes(scenes, 9, 17, 8, "videos", np.random.default_rng(0))
    assert [shot.frames for scene in split.train for shot in scene] == [10, 71]


@pytest.mark.parametrize(("length", "complaint"), [(16, "longest shot has 16"), (26, "of 26 frames")])
def test_too_little_footage_is_an_error_that_says_how_much(length: int, complaint: str) -> None:
    with pytest.raises(UserError, match=f"videos: .*{complaint}"):
        split_scenes([[_shot(0, length, 0.5)]], 9, 17, 8, "videos", np.random.default_rng(0))


def test_a_long_file_is_looked_at_in_stretches_over_its_whole_length(
    tmp_path: Path, write_video, scene
) -> None:
    hues = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)]
    frames = [picture for hue in hues for picture in scene(100, hue)]
    path = write_video(tmp_path / "long.mp4", frames, rate=5)  # 80 s; a key frame every 50 frames
    shots = survey(path, frames=80, stretch=20, smallest=64)
    assert [(shot.first, shot.stop) for shot in shots] == [(0, 20)] * 4
    colours = [tuple(np.round(shot.looks[0].reshape(-1, 3)[0] * 255)) for shot in shots]
    np.testing.assert_allclose(colours, hues, atol=6)
