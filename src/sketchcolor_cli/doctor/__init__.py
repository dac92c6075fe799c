"""What this computer is, what works on it, and what to do about what does not."""
