"""Every setting of every program, read from the environment (`IMAGEMILL_…`); docs/settings.md lists them."""

import os
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024
Port = Annotated[int, Field(ge=0, le=65535)]


def _default_instance() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


def is_loopback(host: str) -> bool:
    """Is it the machine's own name or address?"""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


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

    host: str = Field("127.0.0.1", description="Address that the API listens on.")
    port: Port = Field(8080, description="Port that the API listens on.")
    api_threads: int = Field(48, ge=4, le=512, description="Maximum number of concurrent requests to the API.")
    api_event_streams: int = Field(
        4000, ge=1, le=20_000, description="Maximum number of open event streams (live pages)."
    )
    api_event_streams_per_address: int = Field(
        2000,
        ge=1,
        description="Maximum number of open event streams of one address; behind a proxy all pages have the proxy's.",
    )
    api_connections: int = Field(
        1000,
        ge=16,
        le=20_000,
        description="Maximum number of open connections to the API, event streams not counted; a new one closes the "
        "one that has waited longest for its request.",
    )
    api_request_seconds: float = Field(
        10,
        gt=0,
        description="How long the head of a request may take, and how far a body or an answer may fall behind "
        "`api_min_bytes_per_second`, before the connection is closed.",
    )
    api_min_bytes_per_second: float = Field(1024, gt=0, description="Minimum rate at which clients must send and read.")
    api_slow_requests: int = Field(
        24,
        ge=1,
        description="Maximum number of concurrent requests of clients slower than 64 KiB/s, at most half of "
        "`api_threads`; of more, the one that is furthest behind is ended.",
    )
    health_host: str = Field("127.0.0.1", description="Address of /healthz, /readyz and /metrics of every program.")
    health_port: Port = Field(0, description="Port of /healthz, /readyz and /metrics of every program; 0 takes any.")
    pools_url: str | None = Field(None, description="URL of the scaler's state of the worker pools (JSON).")
    pools_token: SecretStr | None = Field(None, description="The token that the scaler wants for it.")

    login: bool | None = Field(
        None, description="Demand a token or a login; unset: unless the API listens on this machine's own address."
    )
    admin_token: SecretStr | None = Field(
        None,
        min_length=32,
        description="A token that is an admin's, from a Secret; without it the first start makes one.",
    )
    uploader_token: SecretStr | None = Field(
        None, min_length=32, description="A token that is an uploader's, from a Secret; `helm test` uses one."
    )
    token_key: SecretStr = Field(
        SecretStr(""), description="Key of the hashes of tokens, the same for all replicas; a new one ends all tokens."
    )
    allowed_hosts: list[str] = Field(
        [],
        description="Host names (`*.mill.example` too) by which the API may be asked, beside page_url's and localhost.",
    )
    cors_origins: list[str] = Field(
        [], description="Origins (`https://app.example`) whose pages may use the API with a token."
    )
    session_idle_seconds: float = Field(43_200, ge=60, description="A login that is not used for longer ends.")
    session_max_seconds: float = Field(604_800, ge=60, description="A login ends after this time, used or not.")
    proxy_secret: SecretStr = Field(
        SecretStr(""), description="What a proxy that logs users in sends to be believed; empty: none is."
    )
    proxy_secret_header: str = Field("X-Proxy-Secret", description="The header with the proxy's secret.")
    proxy_user_header: str = Field("X-Forwarded-User", description="The header with the user's name.")
    proxy_groups_header: str = Field("X-Forwarded-Groups", description="The header with the user's groups.")
    proxy_roles: dict[str, Literal["viewer", "uploader", "operator", "admin"]] = Field(
        {}, description="Roles of the groups that a proxy names; `*` is everybody's."
    )
    oidc_issuer: str | None = Field(
        None, pattern=r"^https?://", description="OpenID Connect provider that logs people in; none if unset."
    )
    oidc_client_id: str = Field("imagemill", description="The name by which the provider knows this installation.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="What proves it to the provider.")
    oidc_scopes: str = Field("openid profile email", description="Scopes that are asked for; some need `groups` too.")
    oidc_name_claim: str = Field("preferred_username", description="The claim with the user's name.")
    oidc_groups_claim: str = Field("groups", description="The claim with the user's groups.")
    oidc_roles: dict[str, Literal["viewer", "uploader", "operator", "admin"]] = Field(
        {}, description="Roles of the groups that the provider names; `*` is everybody's."
    )

    recipes_file: Path | None = Field(
        None, description="YAML file with recipes that add to, or replace, the built-in ones."
    )
    default_recipe: str = Field("gray", description="Recipe of an upload that names none.")
    pools: dict[str, list[str]] = Field(
        {"default": ["*"], "heavy": ["denoise"]},
        description="Routing: pool to recipes; `*` takes every recipe that no other pool names.",
    )

    max_image_bytes: int = Field(32 * MEBIBYTE, ge=1, description="Maximum size of an image.")
    max_image_pixels: int = Field(
        100_000_000, ge=1, description="Maximum number of pixels (width × height) of an image."
    )
    max_image_frames: int = Field(1, ge=1, description="Maximum number of frames of an image; 1 rejects animations.")
    max_image_scans: int = Field(
        100, ge=10, description="Maximum number of scans of a JPEG; a decoder goes over the whole image for each."
    )
    max_request_bytes: int = Field(1024 * MEBIBYTE, ge=1, description="Maximum size of an upload request.")
    max_spooled_bytes: int = Field(
        1536 * MEBIBYTE,
        ge=1,
        description="Maximum size of the temporary files of all forms that are being uploaded; uploads beyond it get "
        "503. It must fit the space for temporary files.",
    )
    max_upload_memory_bytes: int = Field(
        256 * MEBIBYTE,
        ge=1,
        description="Maximum memory for the images of all uploads in progress; uploads beyond it get 503. A quarter as "
        "much more may be taken by bodies that are not there as a whole yet.",
    )
    max_request_files: int = Field(1000, ge=1, description="Maximum number of images in one upload request.")
    max_request_recipes: int = Field(16, ge=1, description="Maximum number of recipes in one upload request.")
    max_in_flight: int = Field(
        500_000, ge=1, description="Maximum number of images in flight; uploads get 503 while there are as many."
    )
    dispatch_share: int = Field(
        100,
        ge=1,
        description="Minimum number of images of one token (or user) that an API process has in a pool's queue at a "
        "time; more wait in the ledger, so that others' need not.",
    )
    dispatch_seconds: float = Field(
        2, gt=0, description="A token's share of a pool's queue is also what the pool did in so long."
    )
    max_wait_seconds: float = Field(60, ge=0, description="Maximum `wait=` of an upload.")
    inline_max_bytes: int = Field(
        MEBIBYTE, ge=0, description="Larger originals travel as a reference to their blob (claim check)."
    )
    result_inline_max_bytes: int = Field(
        64 * 1024,
        ge=0,
        description="Larger results are stored by their worker and travel as a reference to their blob; the writer "
        "stores smaller ones.",
    )

    commit_window_seconds: float = Field(
        0.02, ge=0, le=0.1, description="How long a group commit waits for more entries while requests come together."
    )
    commit_max_entries: int = Field(200, ge=1, description="Maximum number of ledger entries in one group commit.")
    confirm_timeout_seconds: float = Field(10, gt=0, description="Timeout of a publisher confirm.")
    confirm_window: int = Field(
        200, ge=1, description="Maximum number of published messages that are not confirmed yet."
    )
    couchdb_timeout_seconds: float = Field(30, gt=0, description="Timeout of a request to CouchDB.")
    couchdb_connections: int = Field(8, ge=1, description="Maximum number of connections to CouchDB per process.")

    pool: str = Field("default", description="The pool whose queue this worker consumes.")
    worker_threads: int = Field(1, ge=1, le=64, description="Number of images that a worker processes concurrently.")
    damaged_images: Literal["store", "fail"] = Field(
        "store", description="Images of which the decoder lost pixels: stored with the warning `damaged`, or failed."
    )
    worker_prefetch: int = Field(0, ge=0, le=1000, description="Prefetch of a worker; 0 means 3 per thread.")
    image_timeout_seconds: float = Field(120, gt=0, description="Timeout of the work on one image.")
    drain_seconds: float = Field(25, ge=0, description="How long work in progress may take to finish at shutdown.")
    delivery_limit: int = Field(
        6, ge=2, description="Number of deliveries after which the broker gives a message up; it is published again."
    )
    crash_limit: int = Field(
        6, ge=1, description="Number of attempts at an image that end their worker, after which it fails."
    )
    results_max_bytes: int = Field(512 * MEBIBYTE, ge=MEBIBYTE, description="Maximum size of the results queue.")
    work_max_bytes: int = Field(
        1024 * MEBIBYTE, ge=MEBIBYTE, description="Maximum size of each pool's queue; uploads get 503 when it is full."
    )

    writer_prefetch: int = Field(64, ge=1, le=1000, description="Prefetch of a writer.")
    writer_group_entries: int = Field(128, ge=1, description="Maximum number of outcomes in one bulk write.")
    writer_group_bytes: int = Field(
        16 * MEBIBYTE, ge=1, description="Maximum number of result bytes in one bulk write."
    )
    writer_group_seconds: float = Field(
        0.2, ge=0, description="How long a bulk write waits for more outcomes while they come one upon the other."
    )
    redrive_after_seconds: float = Field(300, gt=0, description="Age at which a job in flight may be republished.")
    redrive_every_seconds: float = Field(15, gt=0, description="How often the ledger is searched for such jobs.")
    lease_seconds: float = Field(
        30, gt=1, description="Duration of the lease of a duty that one program at a time does."
    )

    frame_partitions: int = Field(
        4, ge=1, le=64, description="Number of queues for camera frames; each has one analyzer at a time."
    )
    frames_max_bytes: int = Field(
        64 * MEBIBYTE, ge=MEBIBYTE, description="Maximum size of each queue of frames; the oldest are dropped."
    )
    frames_ttl_seconds: float = Field(60, gt=0, description="Frames that wait longer are dropped.")

    analyzer_prefetch: int = Field(64, ge=8, le=1000, description="Prefetch of an analyzer, per queue of frames.")
    analyzer_max_sources: int = Field(
        128,
        ge=1,
        le=10_000,
        description="Maximum number of sources in an analyzer's memory; the state of others is stored.",
    )
    analyzer_save_seconds: float = Field(
        5, gt=0, description="How often the state of a source with an open event is saved."
    )
    cameras_refresh_seconds: float = Field(5, gt=0, description="How often the cameras' settings are reloaded.")

    channels_file: Path | None = Field(
        None, description="YAML file with the channels that alerts are sent to; it holds secrets."
    )
    channel_allow_private: bool = Field(True, description="Channels may reach private addresses.")
    channel_allow_loopback: bool = Field(False, description="Channels may reach the alerter's own machine.")
    page_url: str = Field(
        "http://127.0.0.1:8080", pattern=r"^https?://", description="The page's address, for links in notifications."
    )
    timezone: str = Field("UTC", description="Time zone of the times in notifications.")
    retention_months_events: int = Field(
        12, ge=0, le=1200, description="Whole months for which events and suppressed events are kept; 0 keeps all."
    )
    retention_months_activity: int = Field(
        3, ge=0, le=1200, description="Whole months for which activity records are kept; 0 keeps all."
    )
    retention_every_seconds: float = Field(3600, gt=0, description="How often expired months are searched for.")

    camera_capacity: int = Field(50, ge=1, le=500, description="Maximum number of feeds of one camera reader.")
    camera_lease_seconds: float = Field(
        6, ge=1, le=60, description="Cameras of a reader without a heartbeat for longer are taken over."
    )
    camera_offline_alert_seconds: float = Field(
        60, ge=1, description="A camera without frames for longer is an event of the kind `offline`."
    )
    camera_credentials_file: Path | None = Field(
        None, description="YAML or JSON file with users and passwords of cameras, by name; from a Secret."
    )
    camera_credentials_anywhere: bool = Field(
        False, description="Credentials without `hosts` may be sent to any address; else the reader does not start."
    )
    camera_allowed_schemes: list[str] = Field(
        ["rtsp", "rtsps", "http", "https", "file"], description="Schemes of camera addresses that may be read."
    )
    camera_allowed_hosts: list[str] = Field(
        [], description="Host names (`*.cams.example`) and networks of cameras that may be read; empty means any."
    )
    camera_allow_private: bool = Field(True, description="Cameras may have private addresses; most have.")
    camera_allow_loopback: bool = Field(False, description="Cameras may be on the reader's own machine.")
    camera_folder: Path | None = Field(
        None, description="Folder of video files and folders of images that may be read as cameras."
    )
    camera_test_seconds: float = Field(20, ge=2, le=55, description="Timeout of a camera test.")

    activity_flush_seconds: float = Field(
        0.25, gt=0, description="How long activity records wait for more before they are sent."
    )
    activity_max_records: int = Field(
        10_000, ge=1, description="Maximum number of buffered activity records in a process; more are dropped."
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

    @field_validator("login")
    @classmethod
    def _only_this_machine_is_open(cls, login: bool | None, given: ValidationInfo) -> bool | None:
        host = given.data.get("host", "")
        if login is False and not is_loopback(host):
            raise ValueError(f"the API listens on {host}; only 127.0.0.1 and ::1 can do without a login")
        return login

    @field_validator("oidc_issuer", "proxy_secret")
    @classmethod
    def _logins_are_demanded(cls, value: Any, given: ValidationInfo) -> Any:
        if given.data.get("login") is False and value not in (None, SecretStr("")):
            raise ValueError("login is off, so that nobody would be asked who they are; leave one of the two away")
        return value

    @property
    def needs_login(self) -> bool:
        """Must whoever asks the API be known? Also where others come in by a proxy on this machine."""
        if self.login is not None:
            return self.login
        reachable = [self.host, urlsplit(self.page_url).hostname or "", *self.allowed_hosts]
        logins = self.proxy_secret.get_secret_value() or self.oidc_issuer
        return bool(logins) or not all(is_loopback(host) for host in reachable)

    @property
    def prefetch(self) -> int:
        """Messages held by a worker: 3 per thread unless set (2 to 4 keep CPU-bound threads busy)."""
        return self.worker_prefetch or 3 * self.worker_threads
