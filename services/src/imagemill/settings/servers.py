"""Settings of the servers behind all programs, and of a program as such."""

import os
import socket
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr

from imagemill.settings.base import SettingsGroup


def _default_instance() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class ServerSettings(SettingsGroup):
    """Broker, database, name and log."""

    amqp_url: SecretStr = Field(
        SecretStr("amqp://127.0.0.1:5672/%2f"),
        validation_alias=AliasChoices("amqp_url", "IMAGEMILL_AMQP_URL", "AMQP_URL"),
        description="The broker, with user, password and virtual host.",
    )
    couchdb_url: SecretStr = Field(
        SecretStr("http://127.0.0.1:5984"),
        validation_alias=AliasChoices("couchdb_url", "IMAGEMILL_COUCHDB_URL", "COUCHDB_URL"),
        description="The CouchDB API, with user and password.",
    )
    couchdb_admin_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("couchdb_admin_url", "IMAGEMILL_COUCHDB_ADMIN_URL", "COUCHDB_ADMIN_URL"),
        description="The same with a user who may create and drop databases, for the program that does; unset: that of "
        "`couchdb_url`.",
    )
    couchdb_passwords: dict[
        Literal["api", "worker", "writer", "journal", "camera", "analyzer", "alerter"], SecretStr
    ] = Field(
        {},
        description="Passwords of the programs' users `<couchdb_prefix>-<program>`; what creates the databases makes "
        "these users too, each with what it needs. Empty: databases keep the members they have.",
    )
    couchdb_append_only: bool = Field(
        False,
        description="With `couchdb_passwords`: CouchDB itself refuses changes of images, jobs, outcomes and journal, "
        "at the price of about 15 ms of its CPU time per image.",
    )
    couchdb_prefix: str = Field(
        "imagemill", pattern=r"^[a-z][a-z0-9_-]{0,40}$", description="Prefix of every database's name."
    )
    tls_ca_file: Path | None = Field(
        None,
        description="Certificates (PEM) of the authority behind the broker (`amqps://`) and CouchDB (`https://`); "
        "unset: those that the system trusts.",
    )
    home: Path = Field(Path(".imagemill"), description="Folder for the state of a local run.")
    instance: str = Field(default_factory=_default_instance, description="Name of this process in traces and logs.")
    log_level: str = Field("info", pattern=r"^(debug|info|warning|error)$", description="Minimum level that is logged.")
    prepare: bool = Field(
        True,
        description="Create queues and databases at startup; turn it off where another program has the rights to.",
    )
