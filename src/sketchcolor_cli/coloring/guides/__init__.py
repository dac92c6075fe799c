"""What the user gives: points, palettes, series."""
