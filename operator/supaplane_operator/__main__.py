"""`python -m supaplane_operator` runs the operator."""

import sys

from .main import cli

if __name__ == "__main__":
    sys.exit(cli())
