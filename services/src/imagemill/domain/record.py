"""What all that is kept and sent has in common."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Immutable, and tolerant of fields which a newer program wrote."""

    model_config = ConfigDict(frozen=True, extra="ignore")
