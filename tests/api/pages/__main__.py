"""Writes the table of docs/studio.md anew."""

from . import DOCUMENT, documented

DOCUMENT.write_text(documented(DOCUMENT.read_text()))
