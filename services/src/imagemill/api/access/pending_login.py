"""A login that a provider is asked about; apart from `oidc`, whose libraries take a second to load."""

from dataclasses import asdict, dataclass

CALLBACK = "/login/oidc/callback"


@dataclass(frozen=True)
class PendingLogin:
    """What the browser keeps while the provider asks who it is."""

    state: str
    nonce: str
    verifier: str
    target: str

    def as_json(self) -> dict[str, str]:
        """For the cookie."""
        return asdict(self)
