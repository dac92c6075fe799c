"""Composed scenes to learn from: drawn places, and figures and things cut out of other pictures."""
