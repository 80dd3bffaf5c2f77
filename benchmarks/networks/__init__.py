"""Image networks whose speed on an iPhone is published: evidence on what the Neural Engine does with 2D ones.

Each is written in the form that was timed: batch norms folded, reparameterised branches merged.
"""
