from nas.costs.operations import Program, ProgramBuilder, fuse, peak_activations

CLIP = (1, 4, 2, 8, 8)
ELEMENTS = 4 * 2 * 8 * 8


def test_elementwise_chains_and_their_reduction_become_one_operation():
    builder = ProgramBuilder(CLIP)
    (squared,) = builder.add("elementwise", "square", [0], [CLIP])
    (mean,) = builder.add("reduction", "mean", [squared], [(1, 1, 2, 8, 8)])
    (root,) = builder.add("elementwise", "rsqrt", [mean], [(1, 1, 2, 8, 8)])
    (scaled,) = builder.add("elementwise", "mul", [0, root], [CLIP])
    (active,) = builder.add("elementwise", "silu", [scaled], [CLIP])
    program = fuse(builder.build(active))
    assert [operation.operator for operation in program.operations] == ["square+mean", "rsqrt+mul+silu"]
    assert program.operations[1].inputs == (mean, 0)
    assert program.operations[1].read == ELEMENTS + ELEMENTS // 4
    assert program.operations[1].written == ELEMENTS


def test_a_tensor_with_a_second_reader_is_written():
    builder = ProgramBuilder(CLIP)
    (active,) = builder.add("elementwise", "relu", [0], [CLIP])
    (doubled,) = builder.add("elementwise", "add", [active], [CLIP])
    (joined,) = builder.add("copy", "concat", [active, doubled], [(1, 8, 2, 8, 8)])
    assert len(fuse(builder.build(joined)).operations) == 3


def test_what_the_output_does_not_need_is_left_out():
    builder = ProgramBuilder(CLIP)
    builder.add("copy", "slice", [0], [CLIP], reads_only_its_output=True)
    (active,) = builder.add("elementwise", "relu", [0], [CLIP])
    assert [operation.operator for operation in builder.build(active).operations] == ["relu"]


def test_a_slice_reads_as_much_as_it_writes():
    builder = ProgramBuilder(CLIP)
    (frame,) = builder.add("copy", "slice", [0], [(1, 4, 1, 8, 8)], reads_only_its_output=True)
    assert builder.build(frame).moved == 2 * (ELEMENTS // 2)


def test_peak_is_what_is_alive_at_once():
    # The input stays for the sum at the end; the two tensors between never live with the result together.
    builder = ProgramBuilder(CLIP)
    (wide,) = builder.add("convolution", "conv", [0], [(1, 16, 2, 8, 8)])
    (narrow,) = builder.add("convolution", "conv", [wide], [CLIP])
    (total,) = builder.add("elementwise", "add", [narrow, 0], [CLIP])
    assert peak_activations(builder.build(total)) == ELEMENTS + 4 * ELEMENTS + ELEMENTS


def test_a_program_survives_json():
    builder = ProgramBuilder(CLIP)
    (out,) = builder.add("convolution", "conv", [0], [CLIP], flops=7, weights=3, channels=(4, 4))
    program = builder.build(out)
    assert Program.from_dict(program.to_dict()) == program


def test_what_moves_more_than_five_axes_is_told_apart():
    builder = ProgramBuilder((1, 2, 2, 2, 4, 8, 8))
    (moved,) = builder.add("permute", "transpose", [0], [(1, 4, 2, 8, 2, 8, 2)])
    assert [operation.kind for operation in builder.build(moved).operations] == ["high_rank_permute"]


def test_states_live_to_the_end():
    builder = ProgramBuilder(CLIP, CLIP)
    (joined,) = builder.add("copy", "concat", [0, 1], [(1, 8, 2, 8, 8)])
    (out,) = builder.add("convolution", "conv", [joined], [CLIP])
    program = builder.build(out, 0)  # the frames themselves are the next call's state
    assert program.output_shape == CLIP
    assert (program.states_given, program.states_left) == (ELEMENTS, ELEMENTS)
    assert peak_activations(program) == ELEMENTS + ELEMENTS + 2 * ELEMENTS + ELEMENTS


def test_what_leaves_a_program_has_the_shape_in_which_it_leaves():
    builder = ProgramBuilder((1, 8, 4, 4))
    (doubled,) = builder.add("elementwise", "mul", [0], [(1, 8, 4, 4)])
    program = builder.build(builder.leave(doubled, (2, 4, 4, 4)))
    assert program.output_shape == (2, 4, 4, 4)
