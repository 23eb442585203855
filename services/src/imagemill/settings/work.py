"""Settings of the way of an image: recipes and pools, what is taken in, workers, the writer."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from imagemill.settings.base import MEBIBYTE, SettingsGroup


class WorkSettings(SettingsGroup):
    """From an upload to its outcome."""

    recipes_file: Path | None = Field(
        None, description="YAML file with recipes that add to, or replace, the built-in ones."
    )
    default_recipe: str = Field("gray", description="Recipe of an upload that names none.")
    pools: dict[str, list[str]] = Field(
        {"default": ["*"], "heavy": ["denoise"]},
        description="Routing: pool to recipes; `*` takes every recipe that no other pool names.",
    )

    max_image_bytes: int = Field(32 * MEBIBYTE, ge=1, description="Maximum size of an image.")
    max_image_pixels: int = Field(
        100_000_000, ge=1, description="Maximum number of pixels (width × height) of an image."
    )
    max_image_frames: int = Field(1, ge=1, description="Maximum number of frames of an image; 1 rejects animations.")
    max_image_scans: int = Field(
        100, ge=10, description="Maximum number of scans of a JPEG; a decoder goes over the whole image for each."
    )
    max_request_bytes: int = Field(1024 * MEBIBYTE, ge=1, description="Maximum size of an upload request.")
    max_spooled_bytes: int = Field(
        1536 * MEBIBYTE,
        ge=1,
        description="Maximum size of the temporary files of all forms that are being uploaded; uploads beyond it get "
        "503. It must fit the space for temporary files.",
    )
    max_upload_memory_bytes: int = Field(
        256 * MEBIBYTE,
        ge=1,
        description="Maximum memory for the images of all uploads in progress; uploads beyond it get 503. A quarter as "
        "much more may be taken by bodies that are not there as a whole yet.",
    )
    max_request_files: int = Field(1000, ge=1, description="Maximum number of images in one upload request.")
    max_request_recipes: int = Field(16, ge=1, description="Maximum number of recipes in one upload request.")
    max_in_flight: int = Field(
        500_000, ge=1, description="Maximum number of images in flight; uploads get 503 while there are as many."
    )
    dispatch_share: int = Field(
        100,
        ge=1,
        description="Minimum number of images of one token (or user) that an API process has in a pool's queue at a "
        "time; more wait in the ledger, so that others' need not.",
    )
    dispatch_seconds: float = Field(
        2, gt=0, description="A token's share of a pool's queue is also what the pool did in so long."
    )
    max_wait_seconds: float = Field(60, ge=0, description="Maximum `wait=` of an upload.")
    inline_max_bytes: int = Field(
        MEBIBYTE, ge=0, description="Larger originals travel as a reference to their blob (claim check)."
    )
    result_inline_max_bytes: int = Field(
        64 * 1024,
        ge=0,
        description="Larger results are stored by their worker and travel as a reference to their blob; the writer "
        "stores smaller ones.",
    )

    commit_window_seconds: float = Field(
        0.02, ge=0, le=0.1, description="How long a group commit waits for more entries while requests come together."
    )
    commit_max_entries: int = Field(200, ge=1, description="Maximum number of ledger entries in one group commit.")
    confirm_timeout_seconds: float = Field(10, gt=0, description="Timeout of a publisher confirm.")
    confirm_window: int = Field(
        200, ge=1, description="Maximum number of published messages that are not confirmed yet."
    )
    couchdb_timeout_seconds: float = Field(30, gt=0, description="Timeout of a request to CouchDB.")
    couchdb_connections: int = Field(8, ge=1, description="Maximum number of connections to CouchDB per process.")

    pool: str = Field("default", description="The pool whose queue this worker consumes.")
    worker_threads: int = Field(1, ge=1, le=64, description="Number of images that a worker processes concurrently.")
    damaged_images: Literal["store", "fail"] = Field(
        "store", description="Images of which the decoder lost pixels: stored with the warning `damaged`, or failed."
    )
    preview_pixels: int = Field(
        320,
        ge=0,
        le=1024,
        description="Longer side of the previews that lists show, made by workers of what has more than 18 kB; 0 makes "
        "none.",
    )
    worker_prefetch: int = Field(0, ge=0, le=1000, description="Prefetch of a worker; 0 means 3 per thread.")
    image_timeout_seconds: float = Field(120, gt=0, description="Timeout of the work on one image.")
    contained_decoding: bool = Field(
        True,
        description="Whether every image is decoded in a child process without secrets, network or files to write.",
    )
    image_cpu_seconds_per_megapixel: float = Field(
        10, gt=0, description="CPU time that a child process may spend on an image, by its size; 5 s more in any case."
    )
    drain_seconds: float = Field(25, ge=0, description="How long work in progress may take to finish at shutdown.")
    delivery_limit: int = Field(
        6, ge=2, description="Number of deliveries after which the broker gives a message up; it is published again."
    )
    crash_limit: int = Field(
        6, ge=1, description="Number of attempts at an image that end their worker, after which it fails."
    )
    results_max_bytes: int = Field(512 * MEBIBYTE, ge=MEBIBYTE, description="Maximum size of the results queue.")
    work_max_bytes: int = Field(
        1024 * MEBIBYTE, ge=MEBIBYTE, description="Maximum size of each pool's queue; uploads get 503 when it is full."
    )

    writer_prefetch: int = Field(64, ge=1, le=1000, description="Prefetch of a writer.")
    writer_group_entries: int = Field(128, ge=1, description="Maximum number of outcomes in one bulk write.")
    writer_group_bytes: int = Field(
        16 * MEBIBYTE, ge=1, description="Maximum number of result bytes in one bulk write."
    )
    writer_group_seconds: float = Field(
        0.2, ge=0, description="How long a bulk write waits for more outcomes while they come one upon the other."
    )
    erasure_grace_hours: float = Field(
        24, ge=0, le=87_600, description="How long erasing an image can be undone; only then its bytes go."
    )
    image_retention_days: dict[str, float] = Field(
        {},
        description="Images that are erased by themselves when they are so many days old, by `recipe:NAME` or "
        '`batch:PATTERN` (`*` stands for anything), e.g. `{"recipe:thumbnail": 30, "batch:tmp-*": 7}`. What is pinned '
        "stays.",
    )
    redrive_after_seconds: float = Field(300, gt=0, description="Age at which a job in flight may be republished.")
    redrive_every_seconds: float = Field(15, gt=0, description="How often the ledger is searched for such jobs.")
    lease_seconds: float = Field(
        30, gt=1, description="Duration of the lease of a duty that one program at a time does."
    )

    @field_validator("image_retention_days")
    @classmethod
    def _retention_is_of_recipes_and_batches(cls, rules: dict[str, float]) -> dict[str, float]:
        for rule, days in rules.items():
            kind, _, pattern = rule.partition(":")
            if kind not in ("recipe", "batch") or not pattern:
                raise ValueError(f"{rule!r}: write recipe:NAME or batch:PATTERN")
            if not 0 < days <= 36_500:
                raise ValueError(f"{rule!r}: {days:g} days are not between 0 and 36,500")
        return rules

    @field_validator("pools")
    @classmethod
    def _pools_are_routable(cls, pools: dict[str, list[str]]) -> dict[str, list[str]]:
        if not pools:
            raise ValueError('name at least one pool, for example {"default": ["*"]}')
        for pool in pools:
            if not pool.isascii() or not pool.replace("-", "").isalnum() or pool != pool.lower():
                raise ValueError(f"pool {pool!r}: use lower-case letters, digits and '-'")
        if sum("*" in recipes for recipes in pools.values()) != 1:
            raise ValueError("exactly one pool must take '*', every recipe which no other pool names")
        return pools

    @property
    def prefetch(self) -> int:
        """Messages held by a worker: 3 per thread unless set (2 to 4 keep CPU-bound threads busy)."""
        return self.worker_prefetch or 3 * self.worker_threads
