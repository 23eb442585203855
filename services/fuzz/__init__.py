"""Chance against everything that reads what strangers send: `python -m fuzz`; some seconds of it in every test run."""
