"""Every setting of every program, read from the environment (`IMAGEMILL_…`); docs/settings.md lists them."""

import os
import socket
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024
Port = Annotated[int, Field(ge=0, le=65535)]


def _default_instance() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class Settings(BaseSettings):
    """One flat set for all programs: each reads what concerns it."""

    model_config = SettingsConfigDict(env_prefix="IMAGEMILL_", extra="ignore", frozen=True, populate_by_name=True)

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
    couchdb_prefix: str = Field(
        "imagemill", pattern=r"^[a-z][a-z0-9_-]{0,40}$", description="Begins the name of every database."
    )
    home: Path = Field(Path(".imagemill"), description="Folder of the local run's state.")
    instance: str = Field(default_factory=_default_instance, description="Name of this process in traces and logs.")
    log_level: str = Field("info", pattern=r"^(debug|info|warning|error)$", description="Least level which is logged.")
    prepare: bool = Field(
        True,
        description="Create queues and databases at the start; off where another does it with its own rights.",
    )

    host: str = Field("127.0.0.1", description="Address on which the API listens.")
    port: Port = Field(8080, description="Port on which the API listens.")
    api_threads: int = Field(48, ge=4, le=512, description="Requests which the API answers at the same time.")
    api_event_streams: int = Field(
        24, ge=1, le=256, description="Open pages (event streams); each takes an API thread."
    )
    health_host: str = Field(
        "127.0.0.1", description="Address of /healthz, /readyz and /metrics of the other programs."
    )
    health_port: Port = Field(
        0, description="Port of /healthz, /readyz and /metrics of the other programs; 0 takes any."
    )
    pools_url: str | None = Field(None, description="Where the scaler tells the state of the worker pools (JSON).")

    recipes_file: Path | None = Field(None, description="YAML file with recipes which add to the built-in ones.")
    default_recipe: str = Field("gray", description="Recipe of an upload which names none.")
    pools: dict[str, list[str]] = Field(
        {"default": ["*"], "heavy": ["denoise"]},
        description="Routing rules, pool to recipes; `*` takes every recipe which no other pool names.",
    )

    max_image_bytes: int = Field(32 * MEBIBYTE, ge=1, description="Largest picture which is accepted.")
    max_image_pixels: int = Field(100_000_000, ge=1, description="Most pixels (width × height) of a picture.")
    max_image_frames: int = Field(1, ge=1, description="Most frames; 1 refuses animations.")
    max_request_bytes: int = Field(1024 * MEBIBYTE, ge=1, description="Largest upload request.")
    max_request_files: int = Field(1000, ge=1, description="Most pictures in one upload request.")
    max_request_recipes: int = Field(16, ge=1, description="Most recipes in one upload request.")
    max_wait_seconds: float = Field(60, ge=0, description="Longest `wait=` of an upload.")
    inline_max_bytes: int = Field(MEBIBYTE, ge=0, description="Larger pictures travel as a reference to their blob.")

    commit_window_seconds: float = Field(0.004, ge=0, le=0.1, description="How long a group commit waits for company.")
    commit_max_entries: int = Field(200, ge=1, description="Most ledger entries of one group commit.")
    confirm_timeout_seconds: float = Field(10, gt=0, description="How long the broker may take to confirm.")
    confirm_window: int = Field(200, ge=1, description="Most messages which wait for the broker's confirm.")
    couchdb_timeout_seconds: float = Field(30, gt=0, description="How long CouchDB may take to answer.")
    couchdb_connections: int = Field(8, ge=1, description="Kept-alive connections to CouchDB per process.")

    pool: str = Field("default", description="The pool whose queue this worker takes from.")
    worker_threads: int = Field(1, ge=1, le=64, description="Pictures which one worker works on at the same time.")
    worker_prefetch: int = Field(0, ge=0, le=1000, description="Messages held by a worker; 0 means 3 per thread.")
    image_timeout_seconds: float = Field(120, gt=0, description="Longest work on one picture.")
    drain_seconds: float = Field(25, ge=0, description="How long work in progress may take to finish at shutdown.")
    delivery_limit: int = Field(6, ge=2, description="Deliveries of a picture before it fails.")
    results_max_bytes: int = Field(512 * MEBIBYTE, ge=MEBIBYTE, description="Bound of the queue of results.")
    work_max_bytes: int = Field(
        1024 * MEBIBYTE, ge=MEBIBYTE, description="Bound of each pool's queue; then uploads get 503."
    )

    writer_prefetch: int = Field(64, ge=1, le=1000, description="Results held by a writer.")
    writer_group_entries: int = Field(32, ge=1, description="Most outcomes of one bulk write.")
    writer_group_bytes: int = Field(16 * MEBIBYTE, ge=1, description="Most result bytes of one bulk write.")
    writer_group_seconds: float = Field(0.03, ge=0, description="How long a bulk write waits for company.")
    redrive_after_seconds: float = Field(300, gt=0, description="Jobs in flight for longer may be published again.")
    redrive_every_seconds: float = Field(15, gt=0, description="How often the ledger is searched for such jobs.")
    lease_seconds: float = Field(30, gt=1, description="How long a duty which only one program may do is held.")

    frame_partitions: int = Field(4, ge=1, le=64, description="Queues of camera frames; an analyzer takes whole ones.")
    frames_max_bytes: int = Field(
        64 * MEBIBYTE, ge=MEBIBYTE, description="Bound of each queue of frames; the oldest are dropped."
    )
    frames_ttl_seconds: float = Field(60, gt=0, description="Frames which wait longer are dropped.")

    analyzer_prefetch: int = Field(64, ge=8, le=1000, description="Frames of each queue held by an analyzer.")
    analyzer_max_sources: int = Field(
        128, ge=1, le=10_000, description="Sources whose state an analyzer keeps in memory; the others' is stored."
    )
    analyzer_save_seconds: float = Field(5, gt=0, description="How often the state of a source with an event is kept.")
    cameras_refresh_seconds: float = Field(5, gt=0, description="How often the settings of the cameras are read again.")

    channels_file: Path | None = Field(
        None, description="YAML file with the channels by which people are told; it holds secrets."
    )
    page_url: str = Field(
        "http://127.0.0.1:8080", pattern=r"^https?://", description="The page's address in what people are sent."
    )
    timezone: str = Field("UTC", description="Time zone of the times in what people are sent.")
    retention_months_events: int = Field(
        12, ge=0, le=1200, description="Whole months for which events and what was held back are kept; 0 keeps all."
    )
    retention_months_activity: int = Field(
        3, ge=0, le=1200, description="Whole months for which activity records are kept; 0 keeps all."
    )
    retention_every_seconds: float = Field(3600, gt=0, description="How often months are looked for which are over.")

    camera_capacity: int = Field(50, ge=1, le=500, description="Most feeds which one camera reader holds.")
    camera_lease_seconds: float = Field(
        6, ge=1, le=60, description="A camera reader which is silent for longer has its cameras taken over."
    )
    camera_offline_alert_seconds: float = Field(
        60, ge=1, description="A camera which gives no pictures for longer is an event of kind `offline`."
    )
    camera_credentials_file: Path | None = Field(
        None, description="YAML or JSON file with users and passwords of cameras, by name; from a Secret."
    )
    camera_allowed_schemes: list[str] = Field(
        ["rtsp", "rtsps", "http", "https", "file"], description="Schemes of camera addresses which may be read."
    )
    camera_allowed_hosts: list[str] = Field(
        [], description="Host names (`*.cams.example`) and networks which may be read as cameras; empty means any."
    )
    camera_allow_private: bool = Field(True, description="Cameras may have private addresses; most have.")
    camera_allow_loopback: bool = Field(False, description="Cameras may be on the reader's own machine.")
    camera_folder: Path | None = Field(
        None, description="Folder of video files and folders of pictures which may be read as cameras."
    )
    camera_test_seconds: float = Field(20, ge=2, le=55, description="How long the test of a camera may take.")

    activity_flush_seconds: float = Field(0.25, gt=0, description="How long activity records wait for company.")
    activity_max_records: int = Field(
        10_000, ge=1, description="Activity records buffered in a process; more are dropped."
    )

    @field_validator("pools")
    @classmethod
    def _pools_are_routable(cls, pools: dict[str, list[str]]) -> dict[str, list[str]]:
        if not pools:
            raise ValueError('name at least one pool, for example {"default": ["*"]}')
        for pool in pools:
            if not pool.isascii() or not pool.replace("-", "").isalnum() or pool != pool.lower():
                raise ValueError(f"pool {pool!r}: use lower-case letters, digits and '-'")
        if sum("*" in recipes for recipes in pools.values()) != 1:
            raise ValueError("exactly one pool must take '*', every recipe which no other pool names")
        return pools

    @property
    def prefetch(self) -> int:
        """Messages held by a worker: 3 per thread unless set (2 to 4 keep CPU-bound threads busy)."""
        return self.worker_prefetch or 3 * self.worker_threads
