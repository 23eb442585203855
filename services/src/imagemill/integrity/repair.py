"""Mends what `walk` finds, as far as that is safe: nothing is decided that the ledger does not say already."""

from collections.abc import Callable
from dataclasses import dataclass

from imagemill.domain.blobs import sha256
from imagemill.domain.images import Image
from imagemill.integrity.defects import Defect
from imagemill.integrity.walk import Progress, Walk, Wanted
from imagemill.recipes import ImageError, RecipeError, from_canonical
from imagemill.store.blobs import Blobs
from imagemill.store.conflicts import Conflicts, winner
from imagemill.store.couch import Couch
from imagemill.store.ledger import Ledger
from imagemill.store.watermark import Watermark

_OF_BLOBS = ("original-missing", "result-missing", "bytes-differ")


@dataclass(frozen=True)
class Mending:
    """What was done, or would be: `mended` is False where nothing can be done from here."""

    defect: Defect
    what: str
    mended: bool = True


class Repair:
    """One pass: look at everything, then mend. `copies` are the blobs of a replica or a backup."""

    def __init__(
        self, couch: Couch, blobs: Blobs, copies: Blobs | None, dry_run: bool, told: Callable[[Mending], None]
    ) -> None:
        self._couch, self._ledger, self._blobs = couch, Ledger(couch), blobs
        self._copies, self._dry, self._told = copies, dry_run, told
        self._lost: dict[str, Defect] = {}
        self._forgotten: list[Defect] = []
        self._hopeless: list[Defect] = []

    def run(self, progress: Progress) -> int:
        """Mend; returns how much is left that cannot be. Raises StoreUnavailable or Conflict."""
        Walk(self._couch, self._blobs, Wanted(sample=None), self._find, progress).run()
        self._resolve_versions()
        self._remember_forgotten()
        for name in [name for name in self._lost if self._fetched(name)]:
            del self._lost[name]
        for images in self._ledger.all_images() if self._lost else ():
            for image in images:
                self._make_again(image)
        left = [*self._lost.values(), *self._hopeless]
        for defect in left:
            self._told(Mending(defect, "nothing can be done from here", mended=False))
        return len(left)

    def _find(self, defect: Defect) -> None:
        if defect.kind in _OF_BLOBS:
            name = defect.subject if defect.kind == "bytes-differ" else defect.detail
            self._lost.setdefault(name, defect)
        elif defect.kind == "forgotten":
            self._forgotten.append(defect)
        elif defect.kind != "two-versions":
            self._hopeless.append(defect)

    def _resolve_versions(self) -> None:
        conflicts = Conflicts(self._couch)
        for doc_id, versions in list(conflicts.all()):
            kept = winner(versions) if self._dry else conflicts.resolve(doc_id, versions)
            self._told(Mending(Defect("two-versions", doc_id), f"the version {kept['_rev']} is kept"))

    def _remember_forgotten(self) -> None:
        if not self._forgotten:
            return
        oldest = min(self._forgotten, key=lambda defect: defect.subject)
        if not self._dry:
            Watermark(self._couch).lower_to(oldest.subject)
        self._told(
            Mending(oldest, "the watermark is set before it: the writer publishes it again within its next rounds")
        )

    def _fetched(self, name: str) -> bool:
        data = self._copies.read_unchecked(name) if self._copies else None
        if data is None or sha256(data) != name or self._copies is None:
            return False
        if not self._dry:
            self._blobs.replace(name, data, self._copies.content_type(name))
        self._told(Mending(self._lost[name], "its bytes are copied from the other database"))
        return True

    def _make_again(self, image: Image) -> None:
        result = image.outcome.result if image.outcome else None
        if result is None or result.sha256 not in self._lost:
            return
        original = self._blobs.read_unchecked(image.job.original.sha256)
        if original is None or sha256(original) != image.job.original.sha256:
            return
        try:
            made = from_canonical(image.job.recipe, image.job.recipe_steps).apply(original)
        except (ImageError, RecipeError):
            return
        if sha256(made.data) != result.sha256:
            return  # another version of OpenCV: other bytes than those which were promised
        if not self._dry:
            self._blobs.replace(result.sha256, made.data, result.content_type)
        self._told(Mending(self._lost.pop(result.sha256), "it is made again of the original"))
