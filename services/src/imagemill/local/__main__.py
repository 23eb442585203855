"""`python -m imagemill.local`, which `make run` calls: all of Imagemill on this machine."""

import sys

from imagemill.local.run import run
from imagemill.local.servers import LocalError
from imagemill.local.settings import load_local_settings


def main() -> int:
    """Exit code 0 after an orderly end, 1 after a sentence that says what was wrong."""
    try:
        run(load_local_settings())
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
