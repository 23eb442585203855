"""A ledger, or programs, of a test's own."""

from frame_to_alert.conftest import own_mill  # noqa: F401 - a fixture
from ledgers import client, ledger  # noqa: F401 - fixtures
