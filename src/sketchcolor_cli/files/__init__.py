"""Names, listings, archives, and writing files whole or not at all."""
