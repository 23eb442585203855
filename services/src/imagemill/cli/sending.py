"""Many files to the API: several requests at a time, and an account of every file."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from imagemill.cli import console
from imagemill.cli.accounts import Account, not_sent
from imagemill.cli.client import ApiError, Client, NotThere, ProblemAnswer, Unsure, path_of
from imagemill.cli.files import File, groups, portions
from imagemill.cli.known import MAX_KNOWN, KnownPictures
from imagemill.cli.plans import UploadPlan
from imagemill.concurrency.retry import pause_seconds
from imagemill.domain.ids import uuid7

_ROUNDS = 6
_UPLOAD_READ_SECONDS = 180.0
_TOO_LARGE = 413
_OF_THE_ORDER = (400, 403, 404, 405)
_AWAY = ("unavailable", "accept-unknown", "being-erased")

Told = Callable[[Account, int, int], None]


@dataclass(frozen=True)
class _Wanted:
    """A file that shall get there; by its key the API knows it again when an answer was lost."""

    file: File
    digest: str
    key: str
    data: bytes | None = None
    """Kept of what can be read only once."""


@dataclass(frozen=True)
class _Read:
    """A file as it is sent."""

    file: File
    data: bytes
    key: str


class Uploader:
    """Sends files; `told` hears of every portion that is dealt with, how many files it has, and their bytes."""

    def __init__(self, client: Client, order: UploadPlan, told: Told) -> None:
        self._client, self._order, self._told = client, order, told
        self._accounts: list[Account] = []
        self._stopping = threading.Event()
        self._known = KnownPictures(client, order)

    def send(self, files: Sequence[File], jobs: int) -> tuple[Account, bool]:
        """All files, `jobs` requests at a time, and whether it was interrupted; raises what no request can pass."""
        account, interrupted = Account(self._order.batch), False
        pool = ThreadPoolExecutor(jobs, thread_name_prefix="upload")
        waiting: list[Future[None]] = []
        try:
            waiting += (pool.submit(self._group, group) for group in groups(files, jobs, MAX_KNOWN))
            for future in as_completed(waiting):
                future.result()
        except KeyboardInterrupt:
            interrupted = True
            console.hint("Nothing more is sent. What is under way is waited for.")
        finally:
            # What is under way may have been accepted: it is waited for and told.
            self._stopping.set()
            if interrupted:
                self._client.stop()
            pool.shutdown(wait=True, cancel_futures=True)
        for future in waiting:
            if not future.cancelled():
                future.result()
        # Not by the futures: of one that was just being submitted when Ctrl-C came there is none.
        for part in self._accounts:
            account.add(part)
        return account, interrupted

    def _group(self, files: Sequence[File]) -> None:
        """Hash first: what the service has is not sent."""
        wanted = self._hashed(files)
        known = self._known.take_in([(item.file, item.digest, item.key) for item in wanted])
        if known.accepted:
            self._done(known, known.known, 0)
        there = {item["file"] for item in known.accepted}
        of = {item.file: item for item in wanted if item.file.shown not in there}
        for portion in portions(of):
            if self._stopping.is_set():
                return
            self._portion([of[file] for file in portion])

    def _hashed(self, files: Sequence[File]) -> list[_Wanted]:
        """Files with their digests; those which cannot be read, or which the batch has, are told at once."""
        account, found = Account(self._order.batch), []
        for file in files:
            if self._stopping.is_set():
                break
            try:
                data = file.read()
            except OSError as error:
                account.failed.append(_unreadable(file, error))
                continue
            digest = hashlib.sha256(data).hexdigest()
            if self._order.has(file, digest):
                account.skipped.append(file.shown)
            else:
                found.append(_Wanted(file, digest, uuid7(), None if file.path else data))
        count = len(account.failed) + len(account.skipped)
        if count:
            self._done(account, count, 0)
        return found

    def _portion(self, wanted: Sequence[_Wanted]) -> None:
        account = Account(self._order.batch)
        remaining = self._read(wanted, account)
        size = sum(len(item.data) for item in remaining)
        for attempt in range(1, _ROUNDS + 1):
            if remaining:
                remaining = self._request(remaining, account, last=attempt == _ROUNDS)
            if not remaining:
                break
            self._client.pause(pause_seconds(attempt, first=1))
        account.sent_bytes = size
        self._done(account, len(wanted), size)

    def _done(self, account: Account, count: int, size: int) -> None:
        self._accounts.append(account)
        self._told(account, count, size)

    def _read(self, wanted: Sequence[_Wanted], account: Account) -> list[_Read]:
        found = []
        for item in wanted:
            try:
                data = item.file.read() if item.data is None else item.data
                found.append(_Read(item.file, data, item.key))
            except OSError as error:
                account.failed.append(_unreadable(item.file, error))
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
            account.failed += [not_sent(item.file, _broken(error)) for item in files]
            return []
        account.accepted += [_with_file(item, files) for item in answer["accepted"]]
        again = [item for item in answer["rejected"] if item["code"] in _AWAY and not last]
        account.rejected += [_with_file(item, files) for item in answer["rejected"] if item not in again]
        return [_file_of(item, files) for item in again]

    def _post(self, files: Sequence[_Read]) -> dict[str, Any]:
        content = [("file", (item.file.name, item.data, "application/octet-stream")) for item in files]
        fields = {**self._order.fields(), "key": [item.key for item in files]}
        if any(paths := [item.file.kept_path for item in files]):
            fields["path"] = paths
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
                account.failed += [not_sent(item.file, str(problem)) for item in remaining]
        elif problem.status in _OF_THE_ORDER:
            raise problem
        else:
            account.failed += [not_sent(item.file, str(problem)) for item in files]
        return []


def _with_file(item: dict[str, Any], files: Sequence[_Read]) -> dict[str, Any]:
    """With the file as the person knows it instead of its place in a request."""
    file = _file_of(item, files).file
    return {**{key: value for key, value in item.items() if key != "index"}, "file": file.shown}


def _file_of(item: dict[str, Any], files: Sequence[_Read]) -> _Read:
    """By its place in the request; by its name where a server does not tell the place."""
    named = (place for place, read in enumerate(files) if read.file.name == item["name"])
    return files[int(item.get("index", next(named, 0)))]


def _unreadable(file: File, error: OSError) -> dict[str, Any]:
    return not_sent(file, f"cannot be read: {error.strerror or error}")


def _broken(error: ApiError) -> str:
    if isinstance(error, NotThere):
        return f"not sent: {error}"
    return f"{error} Whether it was accepted is not known: send it again into the same --batch."


def preview(client: Client, plan: UploadPlan, files: Sequence[File]) -> dict[str, int]:
    """What `Uploader` would do, as numbers; nothing is accepted."""
    known, counts = KnownPictures(client, plan), dict.fromkeys(("to_send", "bytes", "known", "there", "unreadable"), 0)
    for group in groups(files, 1, MAX_KNOWN):
        wanted: list[tuple[File, str, str]] = []
        for file in group:
            try:
                digest = hashlib.sha256(file.read()).hexdigest()
            except OSError:
                counts["unreadable"] += 1
                continue
            if plan.has(file, digest):
                counts["there"] += 1
            else:
                wanted.append((file, digest, uuid7()))
        here = set(known.count(wanted))
        counts["known"] += len(here)
        counts["to_send"] += len(wanted) - len(here)
        counts["bytes"] += sum(file.size_bytes for file, _, _ in wanted if file not in here)
    return counts
