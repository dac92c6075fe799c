"""The evaluation engine: distances between sets of pictures, and what is said of a colour model."""
