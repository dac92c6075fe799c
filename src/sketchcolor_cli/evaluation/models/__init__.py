"""Colour models measured under written protocols."""
