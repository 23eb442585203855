"""`python -m imagemill.alerter`: events become numbered alerts, and people are told."""

import threading

from imagemill.alerter.channels import Channels
from imagemill.alerter.intake import Intake
from imagemill.alerter.pictures import Pictures
from imagemill.alerter.sender import NotificationSender
from imagemill.alerter.service import AlertService
from imagemill.alerter.webhooks import Webhooks
from imagemill.concurrency.loop import Loop
from imagemill.domain.addresses import AddressPolicy
from imagemill.process.program import Program, run
from imagemill.settings import Settings
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import StoreUnavailable
from imagemill.store.events import EventStore
from imagemill.wire import topology

_PREFETCH = 20
_CHANNELS_SECONDS = 5.0


def main(settings: Settings, stopping: threading.Event) -> int:
    """Run until told to stop."""
    program = Program("alerter", settings, stopping)
    couch, activity = program.stores.couch, program.activity
    policy = AddressPolicy(settings.channel_allow_private, settings.channel_allow_loopback)
    book, channels = AlertStore(couch), Channels(settings.channels_file, policy)
    sender = NotificationSender(
        book, channels, Pictures(EventStore(couch)), activity, settings.instance, settings.page_url, settings.timezone
    )
    webhooks = Webhooks(settings, couch, channels)
    intake = Intake(AlertService(couch, activity), book, channels, sender, stopping)
    program.broker.consume(topology.ALERTER_QUEUE, intake.put, _PREFETCH)

    def publish_channels() -> None:
        # Before uploads may name a receiver: what they are told of must not be over by then.
        webhooks.begin()
        book.publish_channels([channels.all()[name].described() for name in sorted(channels.all())])

    described = Loop("channels", publish_channels, every_seconds=_CHANNELS_SECONDS, passing=StoreUnavailable)
    return program.run(described, sender, webhooks, intake)


if __name__ == "__main__":
    run("alerter", main)
