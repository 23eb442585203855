"""`make screenshots`: start Imagemill, give it drawn pictures, and write docs/page-*.webp anew."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from screenshots.browser import opened
from screenshots.content import filled
from screenshots.running import running
from screenshots.scenes import MOVING, STILLS, film, still

DOCS = Path(__file__).parents[2] / "docs"


def main(arguments: Sequence[str] | None = None) -> None:
    """Take all of them, or those that are named."""
    parser = argparse.ArgumentParser(prog="make screenshots")
    parser.add_argument("names", nargs="*", help=f"of {', '.join((MOVING, *(shot.name for shot in STILLS)))}; else all")
    parser.add_argument("--to", type=Path, default=DOCS, help="folder")
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="imagemill-screenshots-") as text, running(Path(text)) as url:
        content = filled(url)
        for scheme in ("light", "dark"):
            with opened(scheme) as driver:
                if not wanted.names or MOVING in wanted.names:
                    film(driver, url, scheme, Path(text), wanted.to)
                for shot in STILLS:
                    if not wanted.names or shot.name in wanted.names:
                        still(driver, url + content[shot.name], shot, scheme, wanted.to)


if __name__ == "__main__":
    main()
