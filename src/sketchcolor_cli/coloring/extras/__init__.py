"""What comes beside a page: flats, layers, and writing them."""
