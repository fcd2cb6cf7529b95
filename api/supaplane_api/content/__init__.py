"""Queries and reports that people save in a project."""
