"""What a search starts from fits its teacher."""

import pytest

from nas.inputs import fitting_space
from nas.teachers import Teacher, load_teacher
from search_space import SearchSpace, UserError


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Teacher:
    """One with latents that no preset is for: 24 channels at Wan's compression."""
    from diffusers import AutoencoderKLWan

    folder = tmp_path_factory.mktemp("teacher")
    AutoencoderKLWan(base_dim=8, z_dim=24).save_pretrained(folder)
    return load_teacher(folder)


def test_a_teacher_by_path_gets_the_space_of_its_compression_for_its_channels(teacher: Teacher) -> None:
    space = fitting_space(None, teacher)
    assert (space.teacher, space.latent_channels, space.compression) == (teacher.name, 24, (4, 8, 8))
    assert space.first.latent_channels == 24
    assert space.first.frames(3) == 9


@pytest.mark.parametrize(
    ("name", "latents"),
    [
        ("wan", "16 channels at 4x8x8, T latents for 4T-3 frames"),
        ("dc", "128 channels at 4x32x32, T latents for 4T frames"),
    ],
)
def test_a_space_for_other_latents_is_refused(teacher: Teacher, name: str, latents: str) -> None:
    with pytest.raises(UserError, match=f"the space is for {latents}; teacher .* has 24 channels at 4x8x8"):
        fitting_space(SearchSpace.preset(name), teacher)
