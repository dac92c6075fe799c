"""Our own extractor, a small network that comes with its weights."""
