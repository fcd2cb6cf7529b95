"""Secrets of a project that are replaced by new ones."""
