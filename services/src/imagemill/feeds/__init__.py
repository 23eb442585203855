"""Reads frames from cameras, video files and folders of pictures, N a second, through one interface."""

from imagemill.feeds.feed import Feed, FeedStatus, first_frame, grabs, open_feed
from imagemill.feeds.grabs import Grab
from imagemill.feeds.policy import FeedPolicy, FeedRefusedError
from imagemill.feeds.redact import redact
from imagemill.feeds.spec import Credentials, FeedError, FeedSpec, from_address, without_credentials
from imagemill.feeds.timing import FeedState

__all__ = [
    "Credentials",
    "Feed",
    "FeedError",
    "FeedPolicy",
    "FeedRefusedError",
    "FeedSpec",
    "FeedState",
    "FeedStatus",
    "Grab",
    "first_frame",
    "from_address",
    "grabs",
    "open_feed",
    "redact",
    "without_credentials",
]
