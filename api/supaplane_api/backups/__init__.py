"""Backups of a project: none are made by this platform, and each page is told so."""
