"""Trained weights that do not come with the package: where they lie, and how they get there."""
