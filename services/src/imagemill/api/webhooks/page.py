"""The page of webhooks: who is told of outcomes, and what could not be delivered."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.access.permissions import add_pages
from imagemill.api.web.responses import services
from imagemill.api.webhooks.routes import delivery_service, page_of_deliveries
from imagemill.api.webhooks.views import delivery_view
from imagemill.domain.access import Permission
from imagemill.domain.deliveries import DELIVERY_STATES
from imagemill.store.alerts import AlertStore


def add_to(blueprint: Blueprint) -> None:
    """Add the routes."""
    add_pages(
        blueprint,
        ("/webhooks", webhooks_page, Permission.VIEW),
        ("/webhooks/retry", send_again_form, Permission.OPERATE, "POST"),
    )


def webhooks_page() -> str:
    """Show receivers with what waits and what failed, and deliveries by state."""
    service, found = delivery_service(), page_of_deliveries()
    waiting, failed = service.store.waiting(), service.store.failed()
    known = {one.name: one for one in AlertStore(services().stores.couch).channels() if one.outcomes or one.callback}
    names = sorted({*known, *waiting, *failed})
    receivers = [(name, known.get(name), waiting.get(name, 0), failed.get(name, 0)) for name in names]
    return render_template(
        "webhooks.html", receivers=receivers,
        deliveries=[delivery_view(one) for one in found.deliveries], cursor=found.next, states=DELIVERY_STATES,
        state=request.args.get("state") or None, receiver=request.args.get("receiver", "").strip(),
        sent=request.args.get("sent", ""),
    )  # fmt: skip


def send_again_form() -> AnyResponse:
    """Send one again, or all of a receiver that were given up; then the list."""
    service, identifier = delivery_service(), request.form.get("delivery", "")
    if identifier:
        service.send_again(identifier)
        count = 1
    else:
        count = len(service.send_failed_again(request.form.get("receiver", "")).retried)
    return redirect(f"/webhooks?sent={count}", HTTPStatus.SEE_OTHER)
