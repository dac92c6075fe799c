"""The boundary to plugins: contract, hook, discovery, and the contract as a test."""
