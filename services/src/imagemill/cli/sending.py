"""Many files to the API: several requests at a time, and an account of every file."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from imagemill.cli import console
from imagemill.cli.client import ApiError, Client, NotThere, ProblemAnswer, Unsure, path_of
from imagemill.cli.files import File, portions
from imagemill.concurrency.retry import pause_seconds
from imagemill.domain.ids import uuid7

_ROUNDS = 6
_UPLOAD_READ_SECONDS = 180.0
_TOO_LARGE = 413
_OF_THE_ORDER = (400, 403, 404, 405)
_AWAY = ("unavailable", "accept-unknown")
Known = frozenset[tuple[str, str, str]]


@dataclass(frozen=True)
class UploadPlan:
    """What is asked for all files; `known` are (name, SHA-256, recipe) which the batch has already."""

    batch: str
    recipes: Sequence[str]
    source: str | None = None
    priority: int | None = None
    known: Known = frozenset()

    def fields(self) -> dict[str, Any]:
        """As form fields."""
        optional = {"source": self.source, "priority": self.priority}
        given = {name: str(value) for name, value in optional.items() if value is not None}
        return {"batch": self.batch, "recipe": list(self.recipes), **given}

    def has(self, file: File, data: bytes) -> bool:
        """Is the file in the batch already, under every recipe?"""
        if not self.known:
            return False
        digest = hashlib.sha256(data).hexdigest()
        return all((file.name, digest, recipe) in self.known for recipe in self.recipes)


@dataclass
class Account:
    """What became of the files."""

    batch: str
    accepted: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, other: "Account") -> None:
        """Joins a request's account."""
        self.accepted += other.accepted
        self.rejected += other.rejected
        self.failed += other.failed
        self.skipped += other.skipped

    @property
    def duplicates(self) -> list[dict[str, Any]]:
        """Those whose result was known."""
        return [item for item in self.accepted if item["duplicate"]]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "batch": self.batch, "accepted": self.accepted, "rejected": self.rejected, "failed": self.failed,
            "skipped": self.skipped,
        }  # fmt: skip


@dataclass(frozen=True)
class _Read:
    """A file as it is sent; by its key the API knows it again when an answer was lost."""

    file: File
    data: bytes
    key: str


class Uploader:
    """Sends files; `told` hears of every file that is dealt with, and of its bytes."""

    def __init__(self, client: Client, order: UploadPlan, told: Callable[[int, int], None]) -> None:
        self._client, self._order, self._told = client, order, told
        self._accounts: list[Account] = []

    def send(self, files: Sequence[File], jobs: int) -> tuple[Account, bool]:
        """All files, `jobs` requests at a time, and whether it was interrupted; raises what no request can pass."""
        account, interrupted = Account(self._order.batch), False
        pool = ThreadPoolExecutor(jobs, thread_name_prefix="upload")
        waiting: list[Future[None]] = []
        try:
            waiting += (pool.submit(self._portion, portion) for portion in portions(files))
            for future in as_completed(waiting):
                future.result()
        except KeyboardInterrupt:
            interrupted = True
            self._client.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            console.hint("Nothing more is sent. What is under way is waited for.")
        finally:
            # What is under way may have been accepted: it is waited for and told.
            pool.shutdown(wait=True, cancel_futures=True)
        for future in waiting:
            if not future.cancelled():
                future.result()
        # Not by the futures: of one that was just being submitted when Ctrl-C came there is none.
        for part in self._accounts:
            account.add(part)
        return account, interrupted

    def _portion(self, files: Sequence[File]) -> None:
        account = Account(self._order.batch)
        self._accounts.append(account)
        remaining = self._read(files, account)
        for attempt in range(1, _ROUNDS + 1):
            if remaining:
                remaining = self._request(remaining, account, last=attempt == _ROUNDS)
            if not remaining:
                break
            self._client.pause(pause_seconds(attempt, first=1))
        self._told(len(files), sum(file.size_bytes for file in files))

    def _read(self, files: Sequence[File], account: Account) -> list[_Read]:
        found = []
        for file in files:
            try:
                data = file.read()
            except OSError as error:
                account.failed.append(_failed(file, f"cannot be read: {error.strerror or error}"))
                continue
            if self._order.has(file, data):
                account.skipped.append(file.shown)
            else:
                found.append(_Read(file, data, uuid7()))
        return found

    def _request(self, files: list[_Read], account: Account, last: bool) -> list[_Read]:
        """One request; tells what should be sent again because a server went away in the middle."""
        try:
            answer = self._post(files)
        except ProblemAnswer as problem:
            return self._refused(problem, files, account)
        except (Unsure, NotThere) as error:
            if isinstance(error, Unsure) and not last:
                return files
            account.failed += [_failed(item.file, _broken(error)) for item in files]
            return []
        account.accepted += [_with_file(item, files) for item in answer["accepted"]]
        again = [item for item in answer["rejected"] if item["code"] in _AWAY and not last]
        account.rejected += [_with_file(item, files) for item in answer["rejected"] if item not in again]
        return [_file_of(item, files) for item in again]

    def _post(self, files: Sequence[_Read]) -> dict[str, Any]:
        content = [("file", (item.file.name, item.data, "application/octet-stream")) for item in files]
        fields = {**self._order.fields(), "key": [item.key for item in files]}
        return self._client.post(
            path_of("images"), patient=True, files=content, data=fields, read_seconds=_UPLOAD_READ_SECONDS
        )

    def _refused(self, problem: ProblemAnswer, files: list[_Read], account: Account) -> list[_Read]:
        if "rejected" in problem.body:
            account.rejected += [_with_file(item, files) for item in problem.body["rejected"]]
        elif problem.status == _TOO_LARGE and len(files) > 1:
            # This server takes less at a time than others.
            for half in (files[: len(files) // 2], files[len(files) // 2 :]):
                remaining = self._request(half, account, last=True)
                account.failed += [_failed(item.file, str(problem)) for item in remaining]
        elif problem.status in _OF_THE_ORDER:
            raise problem
        else:
            account.failed += [_failed(item.file, str(problem)) for item in files]
        return []


def _with_file(item: dict[str, Any], files: Sequence[_Read]) -> dict[str, Any]:
    """With the file as the person knows it instead of its place in a request."""
    file = _file_of(item, files).file
    return {**{key: value for key, value in item.items() if key != "index"}, "file": file.shown}


def _file_of(item: dict[str, Any], files: Sequence[_Read]) -> _Read:
    """By its place in the request; by its name where a server does not tell the place."""
    named = (place for place, read in enumerate(files) if read.file.name == item["name"])
    return files[int(item.get("index", next(named, 0)))]


def _failed(file: File, detail: str) -> dict[str, Any]:
    return {"name": file.name, "file": file.shown, "detail": detail}


def _broken(error: ApiError) -> str:
    if isinstance(error, NotThere):
        return f"not sent: {error}"
    return f"{error} Whether it was accepted is not known: send it again with --resume."


def in_batch(client: Client, batch: str, most: int) -> Known:
    """What a batch has already, for `--resume`."""
    images = client.pages(path_of("images"), "images", most, batch=batch)
    return frozenset((image["name"], image["original"]["sha256"], image["recipe"]) for image in images)
