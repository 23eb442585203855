"""The program which makes results last: bytes into blobs, outcomes into the ledger, and only then the news."""
