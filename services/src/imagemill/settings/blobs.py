"""Settings of where the bytes of images are."""

from pydantic import AliasChoices, Field, SecretStr

from imagemill.settings.base import SettingsGroup

_PLACE = r"^(couchdb:|file:///.+|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?)$"


def _names(name: str, *aws: str) -> AliasChoices:
    return AliasChoices(name, f"IMAGEMILL_{name.upper()}", *aws)


class BlobSettings(SettingsGroup):
    """Originals and results: in CouchDB, in a folder, or in S3."""

    blobs_url: str = Field(
        "couchdb:",
        pattern=_PLACE,
        description="Where originals and results are: `couchdb:`, `s3://bucket/prefix`, or `file:///folder` where all "
        "programs run on one machine.",
    )
    blobs_from_url: str | None = Field(
        None,
        pattern=_PLACE,
        description="Where they were before, while `imagemill blobs move` brings them to `blobs_url`: what is not "
        "there yet is read from here.",
    )
    s3_endpoint_url: str | None = Field(
        None,
        pattern=r"^https?://[^/]+",
        validation_alias=_names("s3_endpoint_url", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        description="Address of the S3 service; unset: Amazon's of the region.",
    )
    s3_region: str | None = Field(
        None,
        validation_alias=_names("s3_region", "AWS_REGION", "AWS_DEFAULT_REGION"),
        description="Region of the bucket.",
    )
    s3_access_key_id: str | None = Field(
        None,
        validation_alias=_names("s3_access_key_id", "AWS_ACCESS_KEY_ID"),
        description="Who asks S3; unset: what the platform gives a pod or machine (web identity, container, instance).",
    )
    s3_secret_access_key: SecretStr | None = Field(
        None,
        validation_alias=_names("s3_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
        description="The key's secret.",
    )
    s3_path_style: bool = Field(
        True, description="Ask for `endpoint/bucket/key`, as most services of one's own do, not `bucket.endpoint/key`."
    )
    s3_conditional_put: bool = Field(
        True,
        description="Write under the condition that there is no such object (`If-None-Match`); turn it off for "
        "services that do not know it: then it is asked before.",
    )
    s3_public_endpoint_url: str | None = Field(
        None,
        pattern=r"^https?://[A-Za-z0-9.:\[\]-]+$",
        description="Address by which clients reach the S3 service. Set: results are not sent by the API, which "
        "redirects to a presigned address there; with `?download` it sends them under their names as before.",
    )
    s3_presigned_seconds: float = Field(
        300.0, ge=1, le=604_800, description="How long such an address can be used, by whoever has it."
    )
    s3_timeout_seconds: float = Field(30.0, gt=0, description="Maximum time for one request to S3, repeats included.")
