"""`python -m supaplane_devcluster`."""

import sys

from .cli import main

sys.exit(main())
