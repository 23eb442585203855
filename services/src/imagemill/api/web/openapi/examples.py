"""Examples, as a real run answered them."""

from typing import Any

ID = "01a1fd63-3ec5-7a2b-84f0-239505a1cb62"
NEW_ID = "01a1fd70-8d21-7f02-9c11-61c0b7be1d37"
BATCH = "holiday"
ORIGINAL: dict[str, Any] = {
    "sha256": "e163b04cc41300ed93f152b4cb61169e3909b70c36a6af78572928eb831d1db7",
    "bytes": 275748,
    "width": 1920,
    "height": 1080,
    "content_type": "image/jpeg",
}
RESULT: dict[str, Any] = {
    "sha256": "83087bf232f3e244699dd6801d47d892406ea2bd16ab56dd53bd860518129f07",
    "bytes": 784346,
    "width": 1920,
    "height": 1080,
    "content_type": "image/png",
}
TRACE: list[dict[str, Any]] = [
    {"step": "accepted", "at": "2026-11-21T09:15:02.213Z", "by": "api-1", "attempt": 1},
    {"step": "taken", "at": "2026-11-21T09:15:02.230Z", "by": "worker-1", "attempt": 1},
    {"step": "done", "at": "2026-11-21T09:15:02.361Z", "by": "worker-1", "attempt": 1},
    {"step": "stored", "at": "2026-11-21T09:15:02.421Z", "by": "writer-1", "attempt": 1},
]
IMAGE: dict[str, Any] = {
    "id": ID,
    "batch": BATCH,
    "name": "beach.jpg",
    "recipe": "gray",
    "source": None,
    "priority": 0,
    "callback": None,
    "batch_callback": None,
    "retry_of": None,
    "status": "stored",
    "duplicate": False,
    "warnings": [],
    "code": None,
    "reason": None,
    "accepted_at": "2026-11-21T09:15:02.213Z",
    "original": ORIGINAL,
    "result": RESULT,
    "erasure": None,
    "trace": TRACE,
}
ERASURE: dict[str, Any] = {
    "at": "2026-11-22T08:00:00.000Z",
    "by": "anna",
    "due": "2026-11-23T08:00:00.000Z",
    "note": "Not wanted.",
    "state": "pending",
}
PIN: dict[str, Any] = {"at": "2026-11-22T08:00:00.000Z", "by": "anna", "note": "Evidence."}
REJECTED: dict[str, Any] = {
    "name": "notes.jpg",
    "code": "not-an-image",
    "detail": "The file is not a picture, whatever its name says; taken are JPEG, PNG, WebP, GIF, BMP and TIFF.",
    "index": 1,
}
UPLOADED: dict[str, Any] = {
    "batch": BATCH,
    "accepted": [
        {
            "id": ID,
            "name": "beach.jpg",
            "recipe": "gray",
            "sha256": ORIGINAL["sha256"],
            "duplicate": False,
            "url": f"/api/v1/images/{ID}",
            "index": 0,
        }
    ],
    "rejected": [REJECTED],
}
BATCH_TIMES: dict[str, Any] = {
    "began_at": "2026-11-21T09:15:02.213Z", "ended_at": None, "recipes": {"gray": 11000, "webp": 1034},
}  # fmt: skip
TOTALS: dict[str, Any] = {
    "offered": 12071, "accepted": 12034, "rejected": 37, "stored": 11990, "duplicates": 12, "damaged": 1, "failed": 4,
    "failed_open": 1, "in_flight": 40, "erased": 3,
}  # fmt: skip
AGAIN: dict[str, Any] = {"id": NEW_ID, "retry_of": ID, "url": f"/api/v1/images/{NEW_ID}"}
ACTIVITY: dict[str, Any] = {
    "at": "2026-11-21T09:15:02.230Z",
    "kind": "taken",
    "program": "worker",
    "by": "worker-1",
    "image": ID,
    "batch": BATCH,
    "attempt": 1,
}
FAILURE: dict[str, Any] = IMAGE | {
    "status": "failed", "code": "crashed", "reason": "It took its worker process down.", "result": None,
    "failure_state": "open", "stage": "at work", "failed_by": "worker-1", "tries": 1,
    "advice": "Retry it once, with a lighter recipe if there is one; if it crashes again, discard it.",
    "resolution": None, "last_retry": None,
}  # fmt: skip
EVENTS = 'event: totals\ndata: {"offered": 3, "accepted": 3, "rejected": 0, "stored": 3, "duplicates": 0, '
EVENTS += '"damaged": 0, "failed": 0, "failed_open": 0, "in_flight": 0, "erased": 0}\n\n: ping\n\n'
