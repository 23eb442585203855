"""Events of cameras on their way and at rest: the message that tells a change, and the document with its pictures."""

from imagemill.camera_events.message import EventNews, event_message, news_of
from imagemill.camera_events.store import EventStore, Page

__all__ = ["EventNews", "EventStore", "Page", "event_message", "news_of"]
