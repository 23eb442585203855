"""Single sign-on by a proxy which has logged the user in, and says so in headers. Pure."""

from collections.abc import Iterable, Mapping

from werkzeug.datastructures import Headers

from imagemill.domain.access import Principal, Role, same
from imagemill.settings import Settings


def proxy_principal(headers: Headers, settings: Settings) -> Principal | None:
    """Who the proxy says it is; None unless the request has the proxy's secret and a user with a role."""
    secret = settings.proxy_secret.get_secret_value()
    if not secret or not same(headers.get(settings.proxy_secret_header, ""), secret):
        return None
    name = headers.get(settings.proxy_user_header, "").strip()[:200]
    groups = [group.strip() for group in headers.get(settings.proxy_groups_header, "").split(",")]
    role = role_of(groups, {group: Role(name) for group, name in settings.proxy_roles.items()})
    return Principal(name, role) if name and name.isprintable() and role else None


def role_of(groups: Iterable[str], roles: Mapping[str, Role]) -> Role | None:
    """The strongest role that a user's groups give; `*` stands for everybody."""
    given = {roles[group] for group in [*groups, "*"] if group in roles}
    return max(given, key=list(Role).index, default=None)
