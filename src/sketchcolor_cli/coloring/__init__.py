"""The colouring engine: from a page and hints to a coloured page of the same size."""
