"""The OpenAPI document of one app: what each route needs stands where the route is made."""

import re
from typing import Any

from flask import Flask

from imagemill.api.access.permissions import permission_of
from imagemill.api.web.openapi import document
from imagemill.api.web.openapi.access import secured


def described(app: Flask) -> dict[str, Any]:
    """The document, with the permission of every route."""
    needed = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower()): permission_of(app, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    return secured(document(), needed)
