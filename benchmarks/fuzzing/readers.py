"""The readers of outside bytes, by name."""

from __future__ import annotations

from fuzzing import books, documents, pictures, server, weights

READERS = {**books.READERS, **documents.READERS, **weights.READERS, **pictures.READERS, **server.READERS}
