"""Tests of channels, which somebody asked for on the page: sent at once, recorded, never numbered."""

import json
import time

import structlog

from imagemill.alerter.channels import Channels
from imagemill.alerter.post import SendResult, send
from imagemill.alerting.channels import hide
from imagemill.alerting.message import Message
from imagemill.alerting.records import MOST_ANSWER_CHARACTERS
from imagemill.store.alerts import AlertStore
from imagemill.wire.broker import Delivery
from imagemill.wire.channel_tests import TYPE, answer_id

log = structlog.get_logger(__name__)
_TITLE, _TEXT = "Imagemill: test of a channel", "This is a test that somebody asked for. Nothing has happened."


def is_channel_test(delivery: Delivery) -> bool:
    """Is it a request to test a channel?"""
    return bool(delivery.properties.type == TYPE)


def run_channel_test(delivery: Delivery, book: AlertStore, channels: Channels) -> None:
    """Sends a sample and records what came of it; raises StoreUnavailable, ValueError when it is no request."""
    asked = json.loads(delivery.body)
    identifier, name = str(asked["id"]), str(asked["channel"])
    if book.get(answer_id(identifier)):
        return  # delivered again, and done before
    channel = channels.get(name)
    now = time.time()
    if channel is None:
        answer = SendResult(False, f"there is no channel {name!r} in the channels file")
    else:
        answer = send(channel, {"number": 0, "test": True, "at": now, "description": _TEXT}, Message(_TITLE, _TEXT))
    text = hide(answer.text, channels.secrets())[:MOST_ANSWER_CHARACTERS]
    document = {"type": "test", "channel": name, "at": now, "ok": answer.ok, "status": answer.status, "answer": text}
    book.create(answer_id(identifier), document)
    log.info("channel tested", channel=name, ok=answer.ok)
