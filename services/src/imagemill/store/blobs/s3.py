"""Blobs as objects of S3, or of whatever speaks its protocol."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from imagemill.domain.previews import NONE, Previews, is_preview, name_of
from imagemill.store.blobs.base import MARKER, Blobs
from imagemill.store.couch import StoreUnavailable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

_PAGE = 1000
_ASKED_AT_ONCE = 16
_RETRIES = 2
_ERROR_CHARACTERS = 300
_CONNECT_SECONDS = 5


@dataclass(frozen=True)
class S3Place:
    """A bucket and how it is reached. What is None is read from `AWS_…`, or from what the platform gives a pod."""

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    region: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    path_style: bool = True
    conditional_put: bool = True
    timeout_seconds: float = 30.0
    ca_file: Path | None = None
    public_endpoint_url: str | None = None
    """Where clients reach it; None when they do not."""

    def key(self, name: str) -> str:
        """An object's key."""
        return f"{self.prefix}/{name}" if self.prefix else name


class S3Blobs(Blobs):
    """An object for each blob, written under the condition that there is none."""

    def __init__(self, place: S3Place) -> None:
        self._place = place
        self._store = _store(place)
        # An address is signed with the host's name in it.
        public = place.public_endpoint_url
        self._public = _store(replace(place, endpoint_url=public)) if public else None

    def prepare(self) -> None:
        """Put the mark into the bucket, which is there already: its rules are its owner's."""
        with self._asked():
            obstore.put(self._store, self._place.key(MARKER), b"", use_multipart=False)

    def put(self, name: str, data: bytes, content_type: str, previews: Previews = NONE) -> bool:
        """Store, and previews as objects of their own; tells whether it is new."""
        is_new = self._is_put(name, data, content_type)
        self.put_beside(previews if is_new else NONE)
        return is_new

    def _is_put(self, name: str, data: bytes, content_type: str) -> bool:
        if not self._place.conditional_put and self._has(name):
            return False
        with self._asked():
            try:
                self._write(name, data, content_type, is_new=self._place.conditional_put)
                return True
            except AlreadyExistsError:
                pass
        # Or somebody else is about to store it, and may fail yet.
        if not self._has(name):
            raise StoreUnavailable(f"S3 was storing blob {name} already and does not have it")
        return False

    def read_unchecked(self, name: str) -> bytes | None:
        """The bytes, whatever they are; None when there is no such blob."""
        with self._asked():
            try:
                return obstore.get(self._store, self._place.key(name)).bytes().to_bytes()
            except FileNotFoundError:
                self._make_sure()
                return None

    def content_type(self, name: str) -> str:
        """What a blob is, as it was stored; raises LookupError."""
        with self._asked():
            try:
                found = obstore.get(self._store, self._place.key(name), options={"head": True})
            except FileNotFoundError:
                raise LookupError(f"no blob {name}") from None
        return str(found.attributes.get("Content-Type", "application/octet-stream"))

    def address(self, name: str, seconds: float) -> str | None:
        """A presigned address, where clients reach the service; raises LookupError."""
        if self._public is None:
            return None
        if not self._has(name):
            self._make_sure()
            raise LookupError(f"no blob {name}: it was removed, or this is not the place it was stored in")
        with self._asked():
            return obstore.sign(self._public, "GET", self._place.key(name), timedelta(seconds=seconds))

    def replace(self, name: str, data: bytes, content_type: str) -> None:
        """Store the bytes in place of whatever is there."""
        with self._asked():
            self._write(name, data, content_type, is_new=False)

    def put_everywhere(self, name: str, data: bytes, content_type: str) -> None:
        """Nothing: it has no nodes which know different things."""

    def remove(self, name: str) -> None:
        """Remove a blob and its preview; nothing happens when there is none."""
        with self._asked():
            for gone in (name_of(name), name):
                obstore.delete(self._store, self._place.key(gone))

    def listed(self, names: Iterable[str]) -> set[str]:
        """Those of the names which are there."""
        wanted = list(names)
        with ThreadPoolExecutor(min(_ASKED_AT_ONCE, max(1, len(wanted)))) as pool:
            there = {name for name, is_there in zip(wanted, pool.map(self._has, wanted), strict=True) if is_there}
        if len(there) < len(wanted):
            self._make_sure()
        return there

    def count(self) -> int:
        """How many there are."""
        return sum(len(names) for names in self.all_names())

    def all_names(self) -> Iterator[list[str]]:
        """All names, page by page."""
        with self._asked():
            for page in obstore.list(self._store, prefix=self._place.prefix or None, chunk_size=_PAGE):
                names = [str(found["path"]).rpartition("/")[2] for found in page]
                yield [name for name in names if name != MARKER and not is_preview(name)]

    def _write(self, name: str, data: bytes, content_type: str, is_new: bool) -> None:
        obstore.put(
            self._store,
            self._place.key(name),
            data,
            attributes={"Content-Type": content_type},
            mode="create" if is_new else "overwrite",
            use_multipart=False,
        )

    def _has(self, name: str) -> bool:
        with self._asked():
            try:
                obstore.head(self._store, self._place.key(name))
                return True
            except FileNotFoundError:
                return False

    def _make_sure(self) -> None:
        """Of one 404 nothing is lost yet: the bucket may be another one, or the address a server that knows nothing."""
        if not self._has(MARKER):
            raise StoreUnavailable(f"the bucket {self._place.bucket!r} is not one of blobs: {MARKER} is not in it")

    @contextmanager
    def _asked(self) -> Iterator[None]:
        # A 404 that nobody expected is that of a bucket.
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            said = " ".join(str(error).split())[:_ERROR_CHARACTERS]
            raise StoreUnavailable(f"S3 bucket {self._place.bucket!r}: {said}") from None


def _store(place: S3Place) -> S3Store:
    timeout = timedelta(seconds=place.timeout_seconds)
    options: ClientConfig = {
        "timeout": timeout,
        "connect_timeout": timedelta(seconds=min(_CONNECT_SECONDS, place.timeout_seconds)),
        "allow_http": (place.endpoint_url or "").startswith("http://"),
    }
    if place.ca_file is not None:
        options["root_certificate"] = place.ca_file.read_bytes()
    given = {
        "endpoint": place.endpoint_url,
        "region": place.region,
        "access_key_id": place.access_key_id,
        "secret_access_key": place.secret_access_key,
    }
    config = cast("S3Config", {name: value for name, value in given.items() if value})
    return S3Store(
        place.bucket,
        config=config,
        client_options=options,
        retry_config={"max_retries": _RETRIES, "retry_timeout": timeout},
        virtual_hosted_style_request=not place.path_style,
        conditional_put="etag" if place.conditional_put else "disabled",
    )
