"""Types of the members of answers."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from imagemill.domain.ids import timestamp


def _as_text(value: float | str) -> str:
    return value if isinstance(value, str) else timestamp(value)


# Stored as seconds since 1970, answered in words that sort.
Time = Annotated[str, BeforeValidator(_as_text), Field(json_schema_extra={"format": "date-time"})]
