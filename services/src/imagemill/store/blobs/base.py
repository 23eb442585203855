"""What every store of bytes can do."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

import structlog

from imagemill.domain.blobs import sha256
from imagemill.domain.previews import CONTENT_TYPE, NONE, Previews, name_of
from imagemill.store.couch import StoreUnavailable

log = structlog.get_logger(__name__)
MARKER = "imagemill-blobs"
"""What is under this name says that the place is one of blobs: a volume that is not mounted, or a bucket of somebody
else's, must not look like a store that has lost everything."""


class Blobs(ABC):
    """Originals and results by the SHA-256 of their bytes, in hex. Everything here may raise StoreUnavailable."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the place exist."""

    @abstractmethod
    def put(self, name: str, data: bytes, content_type: str, previews: Previews = NONE) -> bool:
        """Store, and previews beside it; tells whether it is new. A blob which is already there has the same bytes.

        That previews are not stored is no error.
        """

    @abstractmethod
    def read_unchecked(self, name: str) -> bytes | None:
        """The bytes, whatever they are; None when there is no such blob."""

    @abstractmethod
    def content_type(self, name: str) -> str:
        """What a blob is; raises LookupError."""

    @abstractmethod
    def replace(self, name: str, data: bytes, content_type: str) -> None:
        """Store the bytes in place of whatever is there."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a blob; nothing happens when there is none."""

    @abstractmethod
    def listed(self, names: Iterable[str]) -> set[str]:
        """Those of the names under which one asked server knows a blob."""

    @abstractmethod
    def count(self) -> int:
        """How many there are; may take as long as going through them."""

    @abstractmethod
    def all_names(self) -> Iterator[list[str]]:
        """All names, page by page."""

    def get(self, name: str) -> bytes:
        """The bytes; raises LookupError when there is no such blob."""
        data = self.read_unchecked(name)
        if data is None:
            raise LookupError(f"no blob {name}: it was removed, or this is not the place it was stored in")
        if sha256(data) != name:
            raise StoreUnavailable(f"blob {name} came back with other bytes; it is read again later")
        return data

    def preview(self, result: str, of: str) -> bytes | None:  # noqa: ARG002 - here it has a name of its own
        """The preview of a result or of its original, as it was stored with the result; None when there is none."""
        return self.read_unchecked(name_of(of))

    def forget_preview(self, result: str, of: str) -> None:  # noqa: B027 - here it goes with what it shows
        """Remove the preview of an original that is stored with a result, if there is one."""

    def previews_beside(self, name: str) -> Previews:
        """All previews that go with a blob when it is moved."""
        data = self.read_unchecked(name_of(name))
        return {} if data is None else {name: data}

    def put_beside(self, previews: Previews) -> None:
        """Store previews where each has a name of its own."""
        for sha256_of, data in previews.items():
            try:
                self.put(name_of(sha256_of), data, CONTENT_TYPE)
            except StoreUnavailable as error:
                log.warning("a preview is not stored", of=sha256_of, error=str(error))

    def address(self, name: str, seconds: float) -> str | None:  # noqa: ARG002 - most places have none
        """Where whoever has this address may read a blob for so long, without asking us; None where that cannot be.

        Raises LookupError when there is no such blob.
        """
        return None

    def missing(self, names: Iterable[str]) -> set[str]:
        """Those of the names under which there is no blob."""
        wanted = set(names)
        return wanted - self.listed(wanted)

    @abstractmethod
    def put_everywhere(self, name: str, data: bytes, content_type: str) -> None:
        """Make sure that a majority of a cluster's nodes has a blob which one of them was seen to have."""
