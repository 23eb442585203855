"""Where things lie in the checkout that this package runs from."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[4]
TOOLS = REPOSITORY / ".tools"
STAND_IN_SOURCE = REPOSITORY / "services" / "dev" / "couchdb-stand-in"
