"""Pages whose results come from S3 itself, in a real browser."""

import uuid
from collections.abc import Iterator

import pytest

import pictures
from browsing import Open, console
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from s3_server import s3_server

_SHOWN = """
return [...document.images].some((one) => one.complete && one.naturalWidth && one.currentSrc.endsWith("/result"));
"""


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    with s3_server() as s3:
        settings = s3.settings(uuid.uuid4().hex) | {"s3_public_endpoint_url": s3.url}
        with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill"), **settings) as running:
            yield running


def test_a_picture_shows_a_result_that_the_api_does_not_send(mill: Mill, browser: Open) -> None:
    (image_id,) = mill.accepted(pictures.photo_jpeg(96, 64, seed=7301))
    mill.ended(image_id)
    address = f"/api/v1/images/{image_id}/result"
    assert mill.get(address, allow_redirects=False).status_code == 302
    driver = browser()
    driver.get(f"{mill.url}/pictures/{image_id}")
    wait_for(lambda: driver.execute_script(_SHOWN), "the result is shown")
    assert console(driver) == []
