"""The environment of a child process that meets what strangers sent: what it needs to run, and no secret."""

from collections.abc import Mapping

_KEPT = ("HOME", "LANG", "LANGUAGE", "PATH", "REQUESTS_CA_BUNDLE", "TMPDIR", "TZ", "VIRTUAL_ENV")
_KEPT_PREFIXES = ("LC_", "LD_", "MALLOC_", "OMP_", "OPENBLAS_", "OPENCV_", "PYTHON", "SSL_CERT_")


def without_secrets(environment: Mapping[str, str], *prefixes: str) -> dict[str, str]:
    """What a child needs, by name, and what begins with `prefixes`: a variable that nobody thought of stays outside."""
    kept = (*_KEPT_PREFIXES, *prefixes)
    return {name: value for name, value in environment.items() if name in _KEPT or name.startswith(kept)}
