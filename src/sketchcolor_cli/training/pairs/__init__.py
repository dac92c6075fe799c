"""Training pairs: lines, strokes, pages, and pictures bent."""
