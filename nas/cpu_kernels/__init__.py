"""What `nas.kernels` computes on a GPU, for CPUs: PyTorch's operators, so arranged that oneDNN is fast.

Clips are `[B, C, T, H, W]` in `torch.channels_last_3d`, which oneDNN takes as they are; in the usual order,
each of its convolutions reorders what it reads and writes.
"""
