"""Every setting of every program, read from the environment (`IMAGEMILL_…`); docs/settings.md lists them."""

from urllib.parse import urlsplit

from pydantic import Field

from imagemill.settings.api import ApiSettings, is_loopback
from imagemill.settings.base import MEBIBYTE, Port
from imagemill.settings.blobs import BlobSettings
from imagemill.settings.cameras import AnalysisSettings
from imagemill.settings.servers import ServerSettings
from imagemill.settings.work import WorkSettings

__all__ = ["MEBIBYTE", "Port", "Settings", "is_loopback"]


# The last group comes first in the list of all.
class Settings(AnalysisSettings, WorkSettings, ApiSettings, BlobSettings, ServerSettings):
    """One flat set for all programs: each reads what concerns it."""

    activity_flush_seconds: float = Field(
        0.25, gt=0, description="How long activity records wait for more before they are sent."
    )
    activity_max_records: int = Field(
        10_000, ge=1, description="Maximum number of buffered activity records in a process; more are dropped."
    )

    @property
    def needs_login(self) -> bool:
        """Must whoever asks the API be known? Also where others come in by a proxy on this machine."""
        if self.login is not None:
            return self.login
        reachable = [self.host, urlsplit(self.page_url).hostname or "", *self.allowed_hosts]
        logins = self.proxy_secret.get_secret_value() or self.oidc_issuer
        return bool(logins) or not all(is_loopback(host) for host in reachable)
