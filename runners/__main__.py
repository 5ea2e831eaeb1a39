"""`python -m runners` is `intake-prober`."""

import sys

from runners.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
