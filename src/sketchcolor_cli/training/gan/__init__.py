"""The critic and adversarial stages."""
