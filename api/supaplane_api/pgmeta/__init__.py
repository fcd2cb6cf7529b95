"""SQL and the shape of the database, through the project's postgres-meta."""
