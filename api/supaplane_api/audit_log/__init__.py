"""The audit log as Studio shows it."""
