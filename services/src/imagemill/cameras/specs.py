"""From a camera to a feed that may be opened: what the settings allow, and the secrets that belong to it."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from imagemill.cameras.credentials import Secret, secret_of
from imagemill.cameras.feeds.policy import FeedPolicy, FeedRefusedError, check_url
from imagemill.cameras.feeds.spec import FeedError, FeedSpec, kind_of, local_path
from imagemill.domain.cameras import Camera
from imagemill.settings import Settings


def policy_of(settings: Settings) -> FeedPolicy:
    """What the settings allow."""
    return FeedPolicy(
        schemes=tuple(settings.camera_allowed_schemes),
        hosts=tuple(settings.camera_allowed_hosts),
        private_addresses=settings.camera_allow_private,
        loopback=settings.camera_allow_loopback,
        folders=(settings.camera_folder,) if settings.camera_folder else (),
    )


def spec_of(camera: Camera, settings: Settings) -> FeedSpec:
    """The feed with its secrets, for whoever opens it now; FeedError when they are missing or not for its host."""
    address = reachable(camera, settings)
    secret = Secret()
    if camera.credentials is not None:
        secret = secret_of(settings.camera_credentials_file, camera.credentials)
        secret.check(camera.credentials, address, settings.camera_credentials_anywhere)
    return FeedSpec(
        secret.address(address), kind_of(address), camera.frames_per_second, camera.loop, camera.paced, secret.login
    )


def reachable(camera: Camera, settings: Settings) -> str:
    """The address, with a path made one below the folder of files."""
    if camera.address is None:
        raise FeedError("the camera has no address; pictures come by being posted with its id as source=")
    if not _is_file(camera.address):
        return camera.address
    path = local_path(camera.address)
    return str(settings.camera_folder / path if settings.camera_folder else path)


def refusal(camera: Camera, settings: Settings) -> str | None:
    """Why the settings do not allow the address, as far as that is known without asking anybody."""
    if camera.address is None:
        return None
    policy = policy_of(settings)
    try:
        if _is_file(camera.address):
            _check_file(Path(reachable(camera, settings)), policy)
        else:
            check_url(camera.address, policy, _literal)
    except FeedRefusedError as error:
        return str(error)
    except FeedError:
        return None
    return None


def _is_file(address: str) -> bool:
    return urlsplit(address).scheme in ("", "file")


def _check_file(path: Path, policy: FeedPolicy) -> None:
    # The folder may be on other machines only, so this goes by the name; a reader looks at the file itself.
    if "file" not in policy.schemes:
        raise FeedRefusedError(f"files are not allowed here; allowed are {', '.join(policy.schemes)}")
    if not any(path.is_relative_to(folder) and ".." not in path.parts for folder in policy.folders):
        allowed = ", ".join(str(folder) for folder in policy.folders) or "none, as camera_folder is not set"
        raise FeedRefusedError(f"{path} is not in a folder that may be read; allowed folders: {allowed}")


def _literal(host: str, _port: int) -> Sequence[str]:
    """Only hosts that are addresses themselves; names are looked up where they are opened."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        raise FeedError("not known before it is looked up") from None
