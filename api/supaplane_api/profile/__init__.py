"""The caller's own account, as Studio shows it."""
