"""`imagemill …`, also `python -m imagemill.cli …`."""

import sys

from imagemill.cli.app import app
from imagemill.cli.client import ApiError


def main() -> None:
    """Runs a command; every error is one sentence on the error stream."""
    try:
        app(prog_name="imagemill")
    except ApiError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
