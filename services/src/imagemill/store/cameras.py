"""The database of cameras: one document each, changed by compare-and-set on its revision."""

import structlog

from imagemill.domain.cameras import Camera
from imagemill.domain.errors import Invalid
from imagemill.store.couch import Couch, Document

log = structlog.get_logger(__name__)

DATABASE = "cameras"
MOST_CAMERAS = 10_000
_LAST = "\ufff0"
_DESIGN = "_design/"


class Cameras:
    """All cameras. Every method may raise StoreUnavailable."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database(DATABASE)

    def all(self) -> dict[str, Camera]:
        """By id, in one request; documents that are no cameras are passed over."""
        documents = self._database.documents("", _LAST, MOST_CAMERAS)
        return {camera.id: camera for camera in map(_readable, documents) if camera is not None}

    def sequence(self) -> str:
        """Changes when anything in the database does; cheaper than reading it all."""
        return self._database.sequence()

    def get(self, camera_id: str) -> Camera | None:
        """One of them."""
        document = self._database.get(camera_id)
        return None if document is None else _readable(document)

    def put(self, camera: Camera) -> Camera:
        """Writes over the revision it has, or as a new one; raises Conflict when another was faster."""
        document = camera.as_json() | {"_id": camera.id}
        document |= {"_rev": camera.revision} if camera.revision else {}
        return camera.model_copy(update={"revision": self._database.put(document)})

    def remove(self, camera: Camera) -> None:
        """Raises Conflict when it was changed meanwhile."""
        self._database.remove(camera.id, camera.revision)


def prepare(couch: Couch) -> None:
    """Makes the database exist."""
    couch.database(DATABASE).create()


def _readable(document: Document) -> Camera | None:
    if document["_id"].startswith(_DESIGN):
        return None
    members = {name: value for name, value in document.items() if name in Camera.members()}
    try:
        return Camera.parse(members | {"id": document["_id"], "revision": document["_rev"]})
    except Invalid as error:
        log.error("not a camera", document=document["_id"], error=str(error))
        return None
