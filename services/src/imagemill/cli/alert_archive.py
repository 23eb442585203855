"""The ZIP of an alert, which somebody may have been sent by anybody: looked at, and unpacked, without trusting it."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagemill.alerting.offline import PICTURE, offline_page
from imagemill.cli.client import ApiError

_MOST_ENTRIES = 500
_MOST_BYTES = 256 * 1024 * 1024
_MOST_JSON_BYTES = 8 * 1024 * 1024
_PORTION = 1024 * 1024
_JPEG = b"\xff\xd8\xff"
_ALERT = "alert.json"
PAGE = "index.html"

Json = dict[str, Any]


class AlertArchive:
    """An alert and its pictures. Of names in a ZIP only the last part counts, and only when it can be one of ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except OSError as error:
            raise ApiError(f"{path} cannot be read: {error.strerror}.") from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise self._no_alert("it is no ZIP") from error
        entries = self._archive.infolist()
        if len(entries) > _MOST_ENTRIES:
            raise self._no_alert(f"it has {len(entries):,} files")
        self._entries = {_last_part(entry.filename): entry for entry in entries if not entry.is_dir()}
        self._left = _MOST_BYTES
        self.alert = self._read_alert()

    @property
    def pictures(self) -> list[str]:
        """Names of its pictures."""
        return sorted(name for name in self._entries if PICTURE.fullmatch(name))

    def unpack(self, folder: Path) -> Path:
        """Write the pictures into a folder, and a page that shows them; tells the page.

        The page is made anew: one that came in the ZIP may be anybody's.
        """
        kept = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in self.pictures:
                data = self._read(name, self._left)
                if data.startswith(_JPEG):
                    (folder / name).write_bytes(data)
                    kept.append(name)
            (folder / _ALERT).write_text(json.dumps(self.alert, indent=2), "utf-8")
            page = folder / PAGE
            page.write_text(offline_page(self.alert, kept), "utf-8")
        except OSError as error:
            raise ApiError(f"{folder} cannot be written: {error.strerror}.") from error
        return page

    def _read_alert(self) -> Json:
        if _ALERT not in self._entries:
            raise self._no_alert(f"it has no {_ALERT}")
        try:
            found = json.loads(self._read(_ALERT, _MOST_JSON_BYTES))
            # Half a letter, or what is nested too deeply, could be read but neither shown nor written.
            json.dumps(found, indent=2, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise self._no_alert(f"its {_ALERT} is not JSON") from error
        if not isinstance(found, Mapping) or not isinstance(found.get("number"), int):
            raise self._no_alert(f"its {_ALERT} describes none")
        return dict(found)

    def _read(self, name: str, most_bytes: int) -> bytes:
        """Read a file as far as it goes, whatever the ZIP says of its size."""
        data = bytearray()
        try:
            with self._archive.open(self._entries[name]) as source:
                while portion := source.read(_PORTION):
                    data += portion
                    if len(data) > most_bytes:
                        raise self._no_alert(f"what is in it is larger than {most_bytes // _PORTION} MiB")
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
            raise self._no_alert(f"{name} in it cannot be read: {error}") from error
        except Exception as error:
            # What decompressors raise has no common name.
            if isinstance(error, ApiError):
                raise
            raise self._no_alert(f"{name} in it cannot be read") from error
        self._left -= len(data)
        return bytes(data)

    def _no_alert(self, why: str) -> ApiError:
        return ApiError(f"{self.path} is not the ZIP of an alert: {why}.")


def _last_part(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]
