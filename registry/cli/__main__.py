"""`python -m registry.cli`, where the command itself is not on the path."""

import sys

from registry.cli import main

sys.exit(main())
