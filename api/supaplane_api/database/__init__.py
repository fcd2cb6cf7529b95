"""The management database: who there is and who may do what."""

from .pool import Connection, Database

__all__ = ["Connection", "Database"]
