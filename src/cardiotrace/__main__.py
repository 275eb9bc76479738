"""`python -m cardiotrace` is the command line."""

import sys

from cardiotrace.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
