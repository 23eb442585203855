"""A record of what happened: `at`, `kind`, `program`, `by`, perhaps `image`, and facts by the kind."""

from typing import Any

Record = dict[str, Any]
