"""The configuration of a project: read from its SupabaseProject and written to it."""
