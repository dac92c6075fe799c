"""Fréchet inception distance of two sets of pictures."""
