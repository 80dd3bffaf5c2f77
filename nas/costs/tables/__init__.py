"""Costs of very many designs of a space at once: a decoder is a chain, so rows of tables add up."""
