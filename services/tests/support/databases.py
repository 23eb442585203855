"""The databases of one test or one run, on a server that others use too."""

import requests

_TIMEOUT_SECONDS = 120


def remove_databases(url: str, prefix: str) -> None:
    """Delete those whose names begin so."""
    with requests.Session() as session:
        for name in session.get(f"{url}/_all_dbs", timeout=_TIMEOUT_SECONDS).json():
            if name.startswith(prefix):
                session.delete(f"{url}/{name}", timeout=_TIMEOUT_SECONDS).raise_for_status()
