"""The networks: what they are made of, and how they get in and out of files."""
