"""The count of alerts that nobody has seen, while the store hangs."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagemill.api.alerts.unseen import UnseenAlerts
from imagemill.store.couch import StoreUnavailable


def test_many_pages_wait_for_a_store_that_hangs_no_longer_than_one() -> None:
    hanging, reads = threading.Event(), list[float]()

    def read() -> int:
        reads.append(time.monotonic())
        hanging.wait(60)
        raise StoreUnavailable("it hangs")

    unseen = UnseenAlerts(read, lambda _: None, lambda: False)
    begun = threading.Barrier(9)

    def page() -> int:
        begun.wait(60)
        return unseen.now()

    with ThreadPoolExecutor(8) as pool:
        pages = [pool.submit(page) for _ in range(8)]
        begun.wait(60)
        # All of them have asked, and wait, before the one that reads is told.
        threading.Timer(0.5, hanging.set).start()
        assert all(isinstance(one.exception(60), StoreUnavailable) for one in pages)
    assert len(reads) == 1
    with pytest.raises(StoreUnavailable, match="it hangs"):
        unseen.now()
