"""The extraction engine: from a picture to a sketch of the same size."""
