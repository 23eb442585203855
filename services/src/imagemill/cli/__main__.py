"""`imagemill …`, also `python -m imagemill.cli …`."""

import sys

_EXTRA = ("typer", "rich", "click")


def main() -> None:
    """Runs a command; every error is one sentence on the error stream."""
    try:
        from imagemill.cli.app import app
        from imagemill.cli.client import ApiError
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sentence = "The command line is an extra: in a checkout, install it with `uv tool install './services[cli]'`."
        print(f"error: {sentence}", file=sys.stderr)
        sys.exit(1)
    try:
        app(prog_name="imagemill")
    except ApiError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
