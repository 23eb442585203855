"""Hash first: what the service has already is accepted there without being sent."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from imagemill.cli.accounts import Account
from imagemill.cli.client import ApiError, Client, ProblemAnswer, path_of
from imagemill.cli.files import File
from imagemill.cli.plans import UploadPlan

MAX_KNOWN = 500
_WRONG = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN)


class KnownPictures:
    """Asks for pictures by their hashes. Whatever goes wrong, they are sent: with the same keys they count once."""

    def __init__(self, client: Client, plan: UploadPlan) -> None:
        self._client, self._plan = client, plan

    def take_in(self, files: Sequence[tuple[File, str, str]]) -> Account:
        """Have those accepted that are known, of files with digests and keys; raises what no request can pass."""
        account = Account(self._plan.batch)
        answer = self._ask(files, check=False)
        account.accepted += [
            {**{k: v for k, v in item.items() if k != "index"}, "file": files[item["index"]][0].shown, "known": True}
            for item in answer["accepted"]
        ]
        return account

    def count(self, files: Sequence[tuple[File, str, str]]) -> list[File]:
        """Those that are known; nothing is accepted."""
        return [files[index][0] for index in self._ask(files, check=True)["known"]]

    def _ask(self, files: Sequence[tuple[File, str, str]], check: bool) -> dict[str, Any]:
        if not files:
            return {"accepted": [], "known": []}
        named = [
            {"name": file.name, "path": file.kept_path or None, "sha256": digest, "key": key}
            for file, digest, key in files
        ]
        fields = {"batch": self._plan.batch, "recipes": list(self._plan.recipes), "check": check, "pictures": named}
        body = {**fields, **self._plan.optional()}
        try:
            return self._client.post(path_of("known"), json=body)
        except ProblemAnswer as problem:
            if problem.status in _WRONG:
                raise
        except ApiError:
            pass
        return {"accepted": [], "known": []}
