"""A run over pictures and books: what is to be done, what was done before, doing it, and keeping account."""
