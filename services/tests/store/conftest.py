"""A ledger of a test's own."""

from ledgers import client, ledger  # noqa: F401 - fixtures
