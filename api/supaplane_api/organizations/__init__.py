"""Organizations: who works together, and what each of them may do."""
