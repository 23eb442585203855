"""Every `code` of a problem, with the statuses it comes with and what it means. Codes never change their meaning."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A stable word for programs; `statuses` are the HTTP statuses it comes with."""

    name: str
    statuses: tuple[int, ...]
    meaning: str


AT_THE_DOOR = (
    Code("empty", (400,), "The file has 0 bytes."),
    Code("too-large", (413,), "The file has more bytes than are taken (`max_image_bytes`)."),
    Code("too-many-pixels", (413, 422), "The picture is wider times higher than is taken (`max_image_pixels`)."),
    Code("not-an-image", (415, 422), "The content is not a picture, whatever its name says."),
    Code("unsupported-format", (415, 422), "A picture in a format, or a variant of one, that is not taken."),
    Code("animated", (422,), "The picture has more frames or pages than are taken (`max_image_frames`)."),
    Code("too-many-scans", (422,), "The JPEG is drawn in more scans than are taken (`max_image_scans`)."),
    Code("truncated", (422,), "The picture is not complete; its transfer was probably interrupted."),
    Code("malformed", (422,), "The picture's header contradicts itself or its format."),
)

REQUESTS = (
    Code("bad-request", (400,), "The request cannot be read as HTTP or as a form."),
    Code("no-file", (400,), "The form has no field `file`."),
    Code("unknown-field", (400,), "The request has a field that no upload has; a misspelt one, probably."),
    Code("wait-needs-one", (400,), "`wait` goes with one picture and one recipe only."),
    Code("bad-wait", (400,), "`wait` is not a number of seconds within the limit."),
    Code("bad-batch", (400,), "`batch` cannot be the name of a batch."),
    Code("bad-source", (400,), "`source` cannot be the name of a source."),
    Code("bad-priority", (400,), "`priority` is not a whole number from 0 to 9."),
    Code("unknown-callback", (400,), "`callback` or `batch_callback` names no receiver that takes callbacks."),
    Code("bad-key", (400,), "An idempotency key is no key, or there is not one for each picture."),
    Code("bad-path", (422,), "A path is absolute, has `..` in it, is too long, or there is not one for each file."),
    Code("bad-state", (400,), "`state` is none of the states."),
    Code("bad-of", (400,), "`of` is neither `result` nor `original`."),
    Code("bad-format", (400,), "There is no manifest in that form."),
    Code("bad-cursor", (400,), "`after` is not a cursor of a page before."),
    Code("bad-limit", (400,), "`limit` is not a possible length of a page."),
    Code("unknown-recipe", (400, 409, 422), "There is no recipe of that name, or not any more."),
    Code("too-many-recipes", (413,), "More recipes in one request than are taken (`max_request_recipes`)."),
    Code("too-many-files", (413,), "More files in one request than are taken (`max_request_files`)."),
    Code("request-too-large", (413,), "The request has more bytes or parts than are taken (`max_request_bytes`)."),
    Code("too-many-uploads", (503,), "So much is being uploaded (`max_spooled_bytes`, `max_upload_memory_bytes`)."),
    Code("too-slow", (408,), "The body came slower than `api_min_bytes_per_second` for longer than is waited."),
    Code("all-rejected", (400, 413, 415, 422), "All pictures were refused, for various reasons: see `rejected`."),
    Code("none-selected", (400,), "A form of the page was sent without a selected picture."),
    Code("cross-site", (403,), "A page of another site tried to change something."),
    Code("not-found", (404,), "There is nothing at this address."),
    Code("method-not-allowed", (405,), "The address does not know this method; `Allow` names those it knows."),
    Code("requested-range-not-satisfiable", (416,), "The picture ends before the range that was asked for."),
)

PICTURES = (
    Code("unknown-image", (404,), "No picture with this id was ever accepted."),
    Code("no-result-yet", (404,), "The picture is in flight; ask again after `Retry-After` seconds."),
    Code(
        "no-preview",
        (404,),
        "There is no preview, and the picture itself is too heavy for a list, or not shown by browsers.",
    ),
    Code("unknown-batch", (404,), "Nothing was ever offered under this batch."),
    Code("not-failed", (409,), "Only failed pictures are retried or discarded."),
    Code("already-retried", (409,), "The failure was retried before; `image` names its retry."),
    Code("in-flight", (409,), "A picture in flight cannot be erased; wait until it is stored or failed."),
    Code("pinned", (409,), "The picture is pinned; take the pin away before it is erased."),
    Code("erased", (409, 410), "The picture was erased; or that cannot be undone any more."),
    Code("result-too-large", (422,), "The result of a trial is too large to be shown, and has no preview."),
    Code("blob-missing", (410,), "The ledger knows the picture, but its bytes are gone."),
)

FAILURES = (
    Code("original-missing", (410,), "The original was gone when a worker wanted it."),
    Code("undecodable", (422,), "The header was in order, but the pixels cannot be decoded."),
    Code("damaged", (422,), "Some of its pixels are missing or wrong, and the setting `damaged_images` is `fail`."),
    Code("step-failed", (422,), "A step of the recipe cannot be applied to this picture."),
    Code("unencodable", (422,), "The result cannot be written in the recipe's format."),
    Code("crashed", (422,), "The picture took its worker process down, or kept it busy for too long."),
    Code("failed", (422,), "The picture failed, and nobody said why."),
)

# In ledgers which began with earlier versions.
EARLIER_FAILURES = (
    Code("delivery-limit", (422,), "Earlier versions: every worker that got the picture died or gave up."),
    Code("dead-letter-rejected", (422,), "Earlier versions: a worker refused the message."),
    Code("dead-letter-expired", (422,), "Earlier versions: the message waited longer than the broker keeps it."),
    Code("dead-letter-maxlen", (422,), "Earlier versions: the queue was too long and the broker dropped the message."),
    Code("dead-letter-unknown", (422,), "Earlier versions: the broker gave the message up without a word."),
)

SERVERS = (
    Code("unavailable", (503,), "Database or broker are away. Nothing was accepted; try again after `Retry-After`."),
    Code(
        "being-erased", (503,), "The same bytes are being erased at this moment; send them again after `Retry-After`."
    ),
    Code("accept-unknown", (503,), "Whether it was accepted is not known; repeat it with the same `Idempotency-Key`."),
    Code("too-many-in-flight", (503,), "As many pictures are in flight as may be (`max_in_flight`); try again later."),
    Code("clock-differs", (503,), "The clocks of API and database differ too much to accept anything."),
    Code("too-many-archives", (503,), "As many batches as may be are being fetched as ZIP; try again in a moment."),
    Code("trials-busy", (503,), "As many recipes as may be are being tried; try again after `Retry-After`."),
    Code("no-worker", (504,), "No worker of the recipe's pool runs, or none had an answer in time."),
    Code("bad-history", (400,), "`history_seconds` is not a whole number of seconds up to a day."),
    Code("unknown-pool", (404,), "There is no worker pool of that name."),
    Code("pools-fixed", (409,), "This API may not change pools (`pools_steer_token`)."),
    Code("no-scaler", (404,), "This installation has no scaler that could tell about pools."),
    Code("scaler-unavailable", (503,), "The scaler of the worker pools does not answer."),
    Code("internal-error", (500,), "Something went wrong that should not; the server's log has it."),
)

CAMERAS = (
    Code("bad-json", (400,), "The body is not a JSON object."),
    Code("bad-size", (400,), "`size` is none of the sizes."),
    Code("unknown-camera", (404,), "There is no camera with this id."),
    Code("no-frame", (404,), "No reader has a frame of this camera now; its state says why."),
    Code("camera-exists", (409,), "Another camera has this id."),
    Code("changed-meanwhile", (412,), "Somebody changed the camera, the rule or the alert since it was read."),
    Code("entry-exists", (409,), "A file of secrets has an entry of this name."),
    Code("unwritable-file", (422,), "Nothing can be added to a file of secrets."),
    Code("bad-camera", (422,), "A part of the camera, `member`, cannot be."),
    Code("address-refused", (422,), "The settings do not allow the camera's address."),
    Code("camera-failed", (422,), "The camera gave no picture when it was tested; the detail says why."),
    Code("precondition-required", (428,), "A change must say which revision it changes."),
    Code("no-reader", (504,), "No camera reader runs, or none answered in time, that could test the camera."),
    Code("tests-busy", (503,), "As many cameras as may be are being tested; try again after `Retry-After`."),
)

ALERTS = (
    Code("unknown-alert", (404,), "There is no alert with this number."),
    Code("unknown-event", (404,), "There is no event with this id, or its month is gone."),
    Code("no-picture", (404,), "The event has no picture of this name, or its month is gone."),
    Code("unknown-rule", (404,), "There is no rule of this name."),
    Code("unknown-channel", (404,), "The alerter knows no channel of this name."),
    Code("unknown-snooze", (404,), "There is no snooze with this id."),
    Code("rule-changed", (409,), "Somebody changed the rule at the same moment."),
    Code("rule-exists", (412,), "`If-None-Match: *` was sent, and there is a rule of this name already."),
    Code("pictures-gone", (410,), "The pictures are gone with their month already; nothing can be pinned."),
    Code("bad-rule", (422,), "A part of the rule, `member`, cannot be."),
    Code("bad-value", (422,), "A value of the request, `member`, cannot be."),
    Code("no-answer", (504,), "No alerter answered in time."),
    Code("unknown-delivery", (404,), "There is no delivery with this id, or its month is gone."),
    Code("not-given-up", (409,), "Only deliveries that were given up are sent again."),
)

ACCESS = (
    Code("unauthorized", (401,), "No token was sent, or it is not known, has expired, or was revoked."),
    Code("forbidden", (403,), "Whoever asks may not do that: another role, or another token, may."),
    Code("form-expired", (403,), "A form of the page was sent without the token of the present login."),
    Code("login-failed", (422,), "The provider of logins let nobody in, or its word cannot be believed."),
    Code("no-role", (422,), "Whom the provider let in is in no group that has a role here."),
    Code("login-unavailable", (504,), "The provider of logins does not answer."),
    Code("unknown-token", (404,), "There is no token with this id."),
    Code("not-json", (415,), "The body is not said to be JSON (`Content-Type: application/json`)."),
    Code("unknown-host", (421,), "The request's `Host` is no name of this installation (`allowed_hosts`)."),
    Code("bad-token", (422,), "A part of the token, `member`, cannot be."),
    Code("length-required", (411,), "The token has a rate of bytes, and the body's length is not said."),
    Code("login-busy", (503,), "As many logins as may be are under way at the provider; try again."),
    Code("too-many-requests", (429,), "The token's rate is used up; try again after `Retry-After`."),
    Code("too-many-jobs", (429,), "As many jobs of the token are in flight as may be (`jobs_in_flight`)."),
    Code("access-unknown", (503,), "The database of tokens does not answer, so that nobody can be let in."),
)

ALL = (*AT_THE_DOOR, *REQUESTS, *ACCESS, *PICTURES, *FAILURES, *EARLIER_FAILURES, *CAMERAS, *ALERTS, *SERVERS)
BY_NAME: Mapping[str, Code] = {code.name: code for code in ALL}

DOOR = tuple(code.name for code in AT_THE_DOOR)
FAILED = tuple(code.name for code in (*FAILURES, *EARLIER_FAILURES, *AT_THE_DOOR) if 422 in code.statuses)


def at(status: int, names: tuple[str, ...]) -> tuple[Code, ...]:
    """Those of the names which come with the status; raises KeyError for a code that is not listed."""
    return tuple(code for code in map(BY_NAME.__getitem__, names) if status in code.statuses)
