"""Which addresses may be read, and that nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.cameras.feeds import FeedError, FeedPolicy, FeedRefusedError, from_address
from imagemill.cameras.feeds.policy import check_path, check_url

PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.7"


def knows(*addresses):
    return lambda host, port: addresses


def test_an_allowed_url_gives_the_address_to_connect_to():
    target = check_url("rtsp://Cam.Example:8554/live?x=1", FeedPolicy(), knows(PRIVATE))
    assert (target.host, target.port, target.address, target.resource) == ("cam.example", 8554, PRIVATE, "/live?x=1")
    assert check_url("http://cam.example", FeedPolicy(), knows(PRIVATE)).port == 80
    assert check_url("rtsp://[fd00::7]/", FeedPolicy(), knows("fd00::7")).pinned_origin == "[fd00::7]:554"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("169.254.169.254", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
        ("2002:a9fe:a9fe::1", "link-local"),
        ("fd00:ec2::254", "metadata service"),
        ("168.63.129.16", "metadata service"),
        ("100.100.100.200", "metadata service"),
        ("0.0.0.0", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("127.0.0.1", "this machine"),
        ("::1", "this machine"),
        ("::ffff:127.0.0.1", "this machine"),
    ],
)
def test_addresses_without_cameras_are_refused(address, why):
    with pytest.raises(FeedRefusedError, match=why):
        check_url("http://cam.example/", FeedPolicy(), knows(address))


def test_private_addresses_are_a_setting():
    check_url("http://cam.example/", FeedPolicy(), knows(PRIVATE))
    for address in (PRIVATE, "100.64.0.9", "fd12::7"):
        with pytest.raises(FeedRefusedError, match="private address"):
            check_url("http://cam.example/", FeedPolicy(private_addresses=False), knows(address))


def test_one_refused_address_among_several_is_enough():
    with pytest.raises(FeedRefusedError):
        check_url("http://cam.example/", FeedPolicy(private_addresses=False), knows(PUBLIC, PRIVATE))


@pytest.mark.parametrize(
    ("host", "address", "allowed"),
    [
        ("door.cams.example", PUBLIC, True),
        ("cams.example.evil.test", PUBLIC, False),
        ("evilcams.example", PUBLIC, False),
        ("other.example", "10.1.2.3", True),
        ("other.example", "10.2.2.3", False),
    ],
)
def test_hosts_are_names_and_networks(host, address, allowed):
    policy = FeedPolicy(hosts=("*.cams.example", "10.1.0.0/16"))
    if allowed:
        assert check_url(f"https://{host}/", policy, knows(address)).address == address
    else:
        with pytest.raises(FeedRefusedError, match="not among the hosts"):
            check_url(f"https://{host}/", policy, knows(address))


@pytest.mark.parametrize("url", ["gopher://x/", "ftp://x/", "data:,x", "rtmp://x/", "concat:/etc/passwd", "x:1"])
def test_other_schemes_are_no_feeds(url):
    with pytest.raises(FeedError, match="cannot be read"):
        from_address(url)
    with pytest.raises(FeedRefusedError, match="not allowed here"):
        check_url(url, FeedPolicy(), knows(PUBLIC))


@pytest.mark.parametrize("url", ["http:///x", "http://:80/", "http://cam:99999/"])
def test_a_url_without_a_host_or_with_a_bad_port_is_refused(url):
    with pytest.raises(FeedRefusedError):
        check_url(url, FeedPolicy(), knows(PUBLIC))


def test_files_lie_in_allowed_folders_wherever_links_and_dots_lead(tmp_path):
    allowed, secret = tmp_path / "videos", tmp_path / "secret"
    for folder in (allowed, secret):
        folder.mkdir()
        (folder / "a.avi").write_bytes(b"x")
    (allowed / "link.avi").symlink_to(secret / "a.avi")
    policy = FeedPolicy(folders=(allowed,))
    assert check_path(from_address(str(allowed / "a.avi")), policy) == (allowed / "a.avi").resolve()
    assert check_path(from_address((allowed / "a.avi").as_uri()), policy) == (allowed / "a.avi").resolve()
    for outside in (allowed / "link.avi", allowed / ".." / "secret" / "a.avi", secret, "/etc/hostname"):
        with pytest.raises(FeedRefusedError, match="not in a folder that may be read"):
            check_path(from_address(str(outside)), policy)
    with pytest.raises(FeedError, match="does not exist"):
        check_path(from_address(str(allowed / "b.avi")), policy)
    with pytest.raises(FeedRefusedError, match="allowed folders: none"):
        check_path(from_address(str(allowed / "a.avi")), FeedPolicy())


@given(st.ip_addresses())
def test_whatever_is_let_through_without_private_addresses_is_public(address):
    try:
        target = check_url("http://cam.example/", FeedPolicy(private_addresses=False), knows(str(address)))
    except FeedRefusedError:
        return
    assert not address.is_loopback
    assert not address.is_private
    assert not address.is_multicast
    assert target.address
