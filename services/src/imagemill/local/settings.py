"""What can be set for a run on this machine."""

import os
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from imagemill.local.places import REPOSITORY
from imagemill.local.servers import LocalError
from imagemill.settings import Port


class LocalSettings(BaseSettings):
    """Beside these, everything in the environment reaches the programs as it is."""

    model_config = SettingsConfigDict(env_prefix="IMAGEMILL_", extra="ignore", frozen=True, populate_by_name=True)

    amqp_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("amqp_url", "AMQP_URL"),
        description="A broker that is there already; none is started then.",
    )
    couchdb_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("couchdb_url", "COUCHDB_URL"),
        description="A CouchDB API that is there already; none is started then.",
    )
    home: Path = Field(REPOSITORY / ".imagemill", description="Folder of all state.")
    channels_file: Path | None = Field(
        None, description="How people are told of alerts; else channels.yaml in the home folder, if it is there."
    )
    camera_folder: Path | None = Field(
        None, description="Folder of files that may be read as cameras; else cameras in the home folder."
    )
    camera_credentials_file: Path | None = Field(
        None, description="Users and passwords of cameras; else camera-credentials.yaml in the home folder."
    )
    port: Port = Field(8080, description="Port of the page and the API.")
    rabbitmq_port: Port = Field(0, description="AMQP port of the broker that is started; 0 takes a free one.")
    rabbitmq_management_port: Port = Field(0, description="Port of its management page; 0 takes a free one.")
    couchdb_port: Port = Field(0, description="Port of the CouchDB API that is started; 0 takes a free one.")
    local_workers: int = Field(
        (os.cpu_count() or 1) + 1,  # the worker that always stands ready often has nothing to do
        ge=1,
        le=256,
        description="Most worker processes, all pools together.",
    )
    local_max_wait_seconds: float = Field(
        10, gt=0, description="Worker processes are added when a picture would wait for longer."
    )
    local_ready_seconds: float = Field(90, gt=0, description="How long the programs may take to become ready.")
    local_stop_seconds: float = Field(30, gt=0, description="How long the programs may take to stop.")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()


def load_local_settings() -> LocalSettings:
    """From the environment; LocalError names the setting that is wrong."""
    try:
        return LocalSettings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0]).upper().removeprefix("IMAGEMILL_")
        raise LocalError(f"IMAGEMILL_{name} is {wrong['input']!r}: {wrong['msg']}.") from error
