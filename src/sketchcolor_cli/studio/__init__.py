"""The studio and the HTTP server: painting in the browser, and pages over the network."""
