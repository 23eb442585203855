"""Where blobs are, as the settings say."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from imagemill.settings import Settings
from imagemill.store.blobs.base import Blobs
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.blobs.folder import FolderBlobs
from imagemill.store.blobs.moving import MovingBlobs
from imagemill.store.couch import Couch


def open_blobs(settings: Settings, couch: Couch) -> Blobs:
    """The store of blobs; while they move, both places as one."""
    blobs = blobs_at(settings.blobs_url, settings, couch)
    if settings.blobs_from_url is None or settings.blobs_from_url == settings.blobs_url:
        return blobs
    return MovingBlobs(blobs, blobs_at(settings.blobs_from_url, settings, couch))


def blobs_at(url: str, settings: Settings, couch: Couch) -> Blobs:
    """The blobs of one place; the settings have checked its address."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderBlobs(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        return _s3(parts.netloc, unquote(parts.path).strip("/"), settings)
    return CouchBlobs(couch)


def _s3(bucket: str, prefix: str, settings: Settings) -> Blobs:
    # Only here: most have no S3, and need not load its client.
    from imagemill.store.blobs.s3 import S3Blobs, S3Place

    secret = settings.s3_secret_access_key
    return S3Blobs(
        S3Place(
            bucket,
            prefix,
            settings.s3_endpoint_url,
            settings.s3_region,
            settings.s3_access_key_id,
            secret.get_secret_value() if secret else None,
            settings.s3_path_style,
            settings.s3_conditional_put,
            settings.s3_timeout_seconds,
            settings.tls_ca_file,
            settings.s3_public_endpoint_url,
        )
    )
