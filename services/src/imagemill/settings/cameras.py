"""Settings of cameras, of the analysis of their frames, and of alerts."""

from pathlib import Path

from pydantic import Field

from imagemill.settings.base import MEBIBYTE, SettingsGroup


class AnalysisSettings(SettingsGroup):
    """From a camera to an alert, and what other programs are told."""

    frame_partitions: int = Field(
        4, ge=1, le=64, description="Number of queues for camera frames; each has one analyzer at a time."
    )
    frames_max_bytes: int = Field(
        64 * MEBIBYTE, ge=MEBIBYTE, description="Maximum size of each queue of frames; the oldest are dropped."
    )
    frames_ttl_seconds: float = Field(60, gt=0, description="Frames that wait longer are dropped.")

    analyzer_prefetch: int = Field(64, ge=8, le=1000, description="Prefetch of an analyzer, per queue of frames.")
    analyzer_max_sources: int = Field(
        128,
        ge=1,
        le=10_000,
        description="Maximum number of sources in an analyzer's memory; the state of others is stored.",
    )
    analyzer_save_seconds: float = Field(
        5, gt=0, description="How often the state of a source with an open event is saved."
    )
    cameras_refresh_seconds: float = Field(5, gt=0, description="How often the cameras' settings are reloaded.")

    channels_file: Path | None = Field(
        None, description="YAML file with the channels that alerts are sent to; it holds secrets."
    )
    channel_allow_private: bool = Field(True, description="Channels may reach private addresses.")
    channel_allow_loopback: bool = Field(False, description="Channels may reach the alerter's own machine.")
    page_url: str = Field(
        "http://127.0.0.1:8080", pattern=r"^https?://", description="The page's address, for links in notifications."
    )
    timezone: str = Field("UTC", description="Time zone of the times in notifications.")
    retention_months_events: int = Field(
        12, ge=0, le=1200, description="Whole months for which events and suppressed events are kept; 0 keeps all."
    )
    retention_months_activity: int = Field(
        3, ge=0, le=1200, description="Whole months for which activity records are kept; 0 keeps all."
    )
    retention_months_deliveries: int = Field(
        3, ge=0, le=1200, description="Whole months for which deliveries of outcomes are kept; 0 keeps all."
    )
    batch_quiet_seconds: float = Field(
        30,
        ge=1,
        le=86_400,
        description="A batch is complete when nothing of it is in flight, and none of its images ended for so long.",
    )
    retention_every_seconds: float = Field(3600, gt=0, description="How often expired months are searched for.")

    camera_capacity: int = Field(50, ge=1, le=500, description="Maximum number of feeds of one camera reader.")
    camera_lease_seconds: float = Field(
        6, ge=1, le=60, description="Cameras of a reader without a heartbeat for longer are taken over."
    )
    camera_offline_alert_seconds: float = Field(
        60, ge=1, description="A camera without frames for longer is an event of the kind `offline`."
    )
    camera_credentials_file: Path | None = Field(
        None, description="YAML or JSON file with users and passwords of cameras, by name; from a Secret."
    )
    secret_files_writable: bool = Field(
        False,
        description="The API may add entries to `camera_credentials_file` and `channels_file`; `make run` sets it.",
    )
    camera_credentials_anywhere: bool = Field(
        False, description="Credentials without `hosts` may be sent to any address; else the reader does not start."
    )
    camera_allowed_schemes: list[str] = Field(
        ["rtsp", "rtsps", "http", "https", "file"], description="Schemes of camera addresses that may be read."
    )
    camera_allowed_hosts: list[str] = Field(
        [], description="Host names (`*.cams.example`) and networks of cameras that may be read; empty means any."
    )
    camera_allow_private: bool = Field(True, description="Cameras may have private addresses; most have.")
    camera_allow_loopback: bool = Field(False, description="Cameras may be on the reader's own machine.")
    camera_folder: Path | None = Field(
        None, description="Folder of video files and folders of images that may be read as cameras."
    )
    camera_test_seconds: float = Field(20, ge=2, le=55, description="Timeout of a camera test.")
