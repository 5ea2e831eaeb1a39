"""`intake-prober`, also as `python -m runners`."""

import gc
import sys

from runners.cli.exits import Exit
from runners.cli.interrupt import hold_interrupts, release_interrupts


def main() -> int:
    """Run the command line; returns the exit status, also when Ctrl-C comes before it has all been loaded."""
    try:
        hold_interrupts()
        gc.disable()  # loading makes much and drops nothing; `run_loop` turns it on again
        from runners.cli.app import main as command_line

        status = command_line()
        release_interrupts()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    finally:
        gc.enable()
    return status


if __name__ == "__main__":
    sys.exit(main())
