"""Runs the page's scripts outside a browser, for tests."""

import shutil
import subprocess

import pytest

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="node runs the page's scripts outside a browser")


def node(*arguments: str, script: str) -> str:
    done = subprocess.run(["node", *arguments], input=script, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
