"""A project in time: paused, restored, restarted, resized, moved, deleted."""
