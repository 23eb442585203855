"""Where credentials may be sent: patterns of scheme, host and port."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.cameras.destinations import origin_of, parse_destination

EVERYTHING = ["*", "*.*", "0.0.0.0/0", "::/0"]
NO_PATTERNS = [*EVERYTHING, "", "10.1.*", "rtps://cam", "http://", "cam:0", "cam:65536", "cam:x", "a b", "ca/m"]


@pytest.mark.parametrize(
    ("pattern", "address", "taken"),
    [
        ("rtsp://10.0.0.5:554", "rtsp://10.0.0.5/live", True),
        ("rtsp://10.0.0.5", "RTSP://10.0.0.5:554/live", True),
        ("rtsp://10.0.0.5", "rtsp://10.0.0.5:8554/live", False),
        ("rtsp://10.0.0.5:*", "rtsp://10.0.0.5:8554/live", True),
        ("rtsp://10.0.0.5", "http://10.0.0.5:554/", False),
        ("rtsp://10.0.0.5", "rtsp://10.0.0.50/", False),
        ("https://*.cams.example", "https://door.Cams.example/x", True),
        ("https://*.cams.example", "https://door.cams.example.:443/x", True),
        ("https://*.cams.example", "https://cams.example.evil.test/", False),
        ("https://*.cams.example", "https://door.cams.example:8443/", False),
        ("http://[fd00::7]:8080", "http://[fd00::7]:8080/", True),
        ("fd00::/8", "rtsp://[fd00::7]/", True),
        ("10.1.0.0/16", "rtsp://10.1.2.3/", True),
        ("10.1.0.0/16", "rtsps://10.1.2.3/", True),
        ("10.1.0.0/16", "https://10.1.2.3/", True),
        ("10.1.0.0/16", "https://10.1.2.3:8443/", False),
        ("10.1.0.0/16:8443", "https://10.1.2.3:8443/", True),
        # A password in clear is for whoever says so.
        ("10.1.0.0/16", "http://10.1.2.3/", False),
        ("http://10.1.0.0/16", "http://10.1.2.3/", True),
        ("10.1.0.0/16", "rtsp://10.1.evil.example/", False),
        ("door", "file:door", False),
        ("door", "rtsp://door:99999/", False),
    ],
)
def test_scheme_host_and_port_must_fit(pattern: str, address: str, taken: bool) -> None:
    assert parse_destination(pattern).takes(address) is taken


@pytest.mark.parametrize("pattern", NO_PATTERNS)
def test_a_pattern_that_means_nothing_or_everything_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"is no address of cameras; write rtsp://10\.0\.0\.5"):
        parse_destination(pattern)


@given(st.sampled_from(["rtsp", "rtsps", "http", "https"]), st.ip_addresses(), st.integers(1, 65535))
def test_the_origin_in_a_refusal_is_the_pattern_that_would_take_the_address(scheme, address, port):
    host = f"[{address}]" if address.version == 6 else address
    url = f"{scheme}://{host}:{port}/stream?x=1"
    assert parse_destination(origin_of(url)).takes(url)
