"""Settings of the API: its address, its bounds on clients, and who is let in."""

from ipaddress import ip_address
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from imagemill.settings.base import Port, SettingsGroup

Roles = dict[str, Literal["viewer", "uploader", "operator", "admin"]]


def is_loopback(host: str) -> bool:
    """Is it the machine's own name or address?"""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class ApiSettings(SettingsGroup):
    """The API and its door."""

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
    pools_steer_token: SecretStr | None = Field(
        None,
        description="The token with which the scaler lets pools be paused and their bounds be changed; without it they "
        "are only shown.",
    )

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
    proxy_roles: Roles = Field({}, description="Roles of the groups that a proxy names; `*` is everybody's.")
    oidc_issuer: str | None = Field(
        None, pattern=r"^https?://", description="OpenID Connect provider that logs people in; none if unset."
    )
    oidc_client_id: str = Field("imagemill", description="The name by which the provider knows this installation.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="What proves it to the provider.")
    oidc_scopes: str = Field("openid profile email", description="Scopes that are asked for; some need `groups` too.")
    oidc_name_claim: str = Field("preferred_username", description="The claim with the user's name.")
    oidc_groups_claim: str = Field("groups", description="The claim with the user's groups.")
    oidc_roles: Roles = Field({}, description="Roles of the groups that the provider names; `*` is everybody's.")

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
