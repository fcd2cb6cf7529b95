"""What in a project's database is likely a mistake? Looked up in its catalogue."""
