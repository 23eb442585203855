"""`python -m imagemill.alerter`: events become numbered alerts, and people are told."""

import threading

import structlog

from imagemill.alerter.channels import Channels
from imagemill.alerter.intake import Intake
from imagemill.alerter.pictures import Pictures
from imagemill.alerter.sender import NotificationSender
from imagemill.alerter.service import AlertService
from imagemill.process import runtime
from imagemill.process.health import Check
from imagemill.settings import Settings
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import StoreUnavailable
from imagemill.store.events import EventStore
from imagemill.wire import topology

log = structlog.get_logger(__name__)
_PREFETCH = 20
_TELL_CHANNELS_SECONDS = 5.0


def main(settings: Settings, stopping: threading.Event) -> int:
    """Runs until told to stop."""
    stores = runtime.open_stores(settings)
    book, channels = AlertStore(stores.couch), Channels(settings.channels_file)
    broker = runtime.open_broker(settings, "alerter")
    activity = runtime.open_activity(settings, "alerter", broker)
    pictures = Pictures(EventStore(stores.couch))
    sender = NotificationSender(
        book, channels, pictures, activity, settings.instance, settings.page_url, settings.timezone
    )
    intake = Intake(AlertService(stores.couch, activity), book, channels, sender, stopping)
    broker.consume(topology.ALERTER_QUEUE, intake.put, _PREFETCH)
    health = runtime.serve_health(settings, runtime.health_of(broker, stores.couch, work=_works(intake, stopping)))
    runtime.wait_for_stores(stores, settings, stopping)
    activity.start()
    sender.start()
    intake.start()
    broker.start()
    _tell_channels(book, channels, stopping)
    broker.stop_consuming()
    drained = intake.join(settings.drain_seconds)
    sender.close(settings.drain_seconds)
    activity.close()
    broker.close()
    health.close()
    return 0 if drained else 1


def _works(intake: Intake, stopping: threading.Event) -> Check:
    return lambda: None if intake.alive or stopping.is_set() else "nobody judges events any more"


def _tell_channels(book: AlertStore, channels: Channels, stopping: threading.Event) -> None:
    while True:
        try:
            book.tell_channels([channels.all()[name].described() for name in sorted(channels.all())])
        except StoreUnavailable as error:
            log.warning("channels not told yet", error=str(error))
        if stopping.wait(_TELL_CHANNELS_SECONDS):
            return


if __name__ == "__main__":
    runtime.run("alerter", main)
