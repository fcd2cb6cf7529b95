"""Keys that clients of a project send."""
