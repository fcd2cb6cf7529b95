"""Projects: made, listed and shown. What one is, its SupabaseProject says, not the database."""
