"""Tests of channels, which somebody asked for on the page: sent at once, recorded, never numbered."""

import time

import structlog

from imagemill.alerter.channels import Channels
from imagemill.alerter.post import SendResult, send
from imagemill.alerting.channels import hide
from imagemill.alerting.message import Message
from imagemill.alerting.records import MOST_ANSWER_CHARACTERS
from imagemill.alerting.webhook import sample_body
from imagemill.domain.alerts import ChannelTest
from imagemill.store.alerts import AlertStore
from imagemill.wire.channel_tests import ChannelTestRequest

log = structlog.get_logger(__name__)
_TITLE, _TEXT = "Imagemill: test of a channel", "This is a test that somebody asked for. Nothing has happened."


def run_channel_test(request: ChannelTestRequest, alerts: AlertStore, channels: Channels) -> None:
    """Send a sample and record what came of it; raises StoreUnavailable."""
    if alerts.channel_test(request.id):
        return  # delivered again, and done before
    channel, now = channels.get(request.channel), time.time()
    if channel is None:
        result = SendResult(False, f"there is no channel {request.channel!r} in the channels file")
    else:
        result = send(channel, sample_body(now, _TEXT), Message(_TITLE, _TEXT))
    answer = hide(result.text, channels.secrets())[:MOST_ANSWER_CHARACTERS]
    test = ChannelTest(channel=request.channel, at=now, ok=result.ok, status=result.status, answer=answer)
    alerts.record_channel_test(request.id, test)
    log.info("channel tested", channel=request.channel, ok=result.ok)
