"""What all groups of settings have in common."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024
Port = Annotated[int, Field(ge=0, le=65535)]


class SettingsGroup(BaseSettings):
    """Read from the environment; unknown variables are left alone."""

    model_config = SettingsConfigDict(env_prefix="IMAGEMILL_", extra="ignore", frozen=True, populate_by_name=True)
