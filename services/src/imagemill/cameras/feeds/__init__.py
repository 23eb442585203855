"""Reads frames from cameras, video files and folders of pictures, N a second, through one interface."""

from imagemill.cameras.feeds.feed import Feed, FeedStatus, first_frame, grabs, open_feed
from imagemill.cameras.feeds.grabs import Grab
from imagemill.cameras.feeds.policy import FeedPolicy, FeedRefusedError
from imagemill.cameras.feeds.spec import Credentials, FeedError, FeedSpec, from_address, without_credentials
from imagemill.cameras.feeds.timing import FeedState

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
    "without_credentials",
]
