"""Measured times of probes and decoders, and device profiles fitted to them.

What measures (`timing`, `probes`, `subjects`, `measuring`) needs PyTorch and `search_space` alone.
"""
