"""What a pixel means: colour spaces, each with its way back, and laying ink over paint."""
