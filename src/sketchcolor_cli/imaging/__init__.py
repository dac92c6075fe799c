"""Pictures: files in and out, profiles, sizes and scaling."""
