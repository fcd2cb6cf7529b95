"""Logs and figures of a project: from its own Logflare where it runs one."""
