"""The broker and the database that tests and `make run` start."""

import os
import stat
from contextlib import closing, suppress
from pathlib import Path

import pika
import pytest
import requests

from imagemill.local.couch import CouchServer, NativeServer, StandInServer
from imagemill.local.ports import free_ports, is_free
from imagemill.local.rabbit import RabbitPorts, RabbitServer
from imagemill.local.servers import LocalError
from imagemill.store.rights import PROGRAMS
from mill import wait_for

TIMEOUT = 120


def publish(url: str, queue: str, body: bytes) -> None:
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2), mandatory=True)


def take(url: str, queue: str) -> bytes | None:
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        body: bytes | None = connection.channel().basic_get(queue, auto_ack=True)[2]
        return body


def taken_again(url: str, queue: str) -> bytes | None:
    """What was kept; a broker that has just come back finds a leader for its queue a moment later."""

    def found() -> bytes | None:
        with suppress(pika.exceptions.AMQPError):
            return take(url, queue)
        return None

    body: bytes | None = wait_for(found, f"a message in {queue}")
    return body


def test_broker_knows_only_generated_users(rabbit: RabbitServer) -> None:
    address = f"{rabbit.management_url}/api/users"
    users = requests.get(address, auth=(rabbit.user, rabbit.password), timeout=TIMEOUT).json()
    assert {user["name"] for user in users} - set(PROGRAMS) == {"imagemill"}
    assert requests.get(address, auth=("guest", "guest"), timeout=TIMEOUT).status_code == 401


def test_broker_keeps_its_secrets_to_its_owner(rabbit: RabbitServer) -> None:
    for name in ("password", "rabbitmq.conf", ".erlang.cookie"):
        assert stat.S_IMODE((rabbit.folder / name).stat().st_mode) & 0o077 == 0, name
    assert rabbit.password.encode() not in Path(f"/proc/{rabbit.pid}/cmdline").read_bytes()


def test_broker_listens_on_loopback_only(rabbit: RabbitServer) -> None:
    ports = {f"{port:04X}" for port in vars(rabbit.ports).values()}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, port = line.split()[1].rsplit(":", 1)
            if line.split()[3] == "0A" and port in ports:
                assert address in ("0100007F", "00000000000000000000000001000000"), (port, address)


def test_broker_serves_metrics_and_hash_exchanges(rabbit: RabbitServer, amqp_url: str) -> None:
    assert "rabbitmq_build_info" in requests.get(rabbit.metrics_url, timeout=TIMEOUT).text
    assert requests.get(f"{rabbit.metrics_url}/detailed?family=queue_coarse_metrics", timeout=TIMEOUT).ok
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    connection.channel().exchange_declare("frames", "x-consistent-hash")
    connection.close()


def test_every_test_has_a_virtual_host_of_its_own(rabbit: RabbitServer, amqp_url: str) -> None:
    publish(amqp_url, "work", b"one")
    assert take(amqp_url, "work") == b"one"
    with pytest.raises(pika.exceptions.ChannelClosedByBroker):
        take(rabbit.amqp_url, "work")


def test_confirmed_message_survives_orderly_restart_and_kill(own_rabbit: RabbitServer) -> None:
    """In this order on purpose: killed within a second of a quorum queue's making, RabbitMQ 3.10 forgets the queue."""
    publish(own_rabbit.amqp_url, "work", b"kept")
    before = own_rabbit.pid
    own_rabbit.restart()
    assert own_rabbit.pid != before
    assert taken_again(own_rabbit.amqp_url, "work") == b"kept"
    publish(own_rabbit.amqp_url, "work", b"again")
    own_rabbit.kill()
    assert not own_rabbit.is_running
    own_rabbit.start()
    assert taken_again(own_rabbit.amqp_url, "work") == b"again"


def test_stopped_broker_leaves_no_port_open(own_rabbit: RabbitServer) -> None:
    own_rabbit.kill()
    assert all(is_free(port) for port in vars(own_rabbit.ports).values())


def test_taken_port_is_named_with_its_holder(rabbit: RabbitServer, tmp_path: Path) -> None:
    ports = RabbitPorts(rabbit.ports.amqp, *free_ports(4))
    with pytest.raises(LocalError, match=rf"Port {rabbit.ports.amqp}, .* taken by beam\.smp \(pid {rabbit.pid}\)"):
        RabbitServer(tmp_path, ports).start()


def test_broker_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    server = RabbitServer(tmp_path)
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(LocalError, match=r"RabbitMQ ended while it was starting. The end of .*console.log:\n.*"):
        server.start()
    assert not server.is_running


def test_an_installed_couchdb_takes_pictures_in_large_pieces_and_does_not_spin(tmp_path: Path) -> None:
    _, environment = NativeServer(tmp_path, tmp_path / "bin" / "couchdb")._command()
    assert "+sbwt none" in Path(environment["COUCHDB_ARGS_FILE"]).read_text("utf-8").splitlines()
    own = environment["COUCHDB_INI_FILES"].split()[-1]
    assert "attachment_stream_buffer_size = 1048576" in Path(own).read_text("utf-8")


def test_database_asks_for_its_password(couch: CouchServer) -> None:
    address = f"http://127.0.0.1:{couch.port}"
    assert requests.get(f"{address}/_all_dbs", timeout=TIMEOUT).status_code == 401
    assert requests.get(f"{address}/_up", timeout=TIMEOUT).ok
    assert requests.get(f"{couch.url}/_all_dbs", timeout=TIMEOUT).ok


def test_stand_in_says_that_it_is_one(couch: CouchServer) -> None:
    if not isinstance(couch, StandInServer):
        pytest.skip("CouchDB itself is installed here")
    welcome = requests.get(f"http://127.0.0.1:{couch.port}/", timeout=TIMEOUT).json()
    assert "stand-in" in welcome["vendor"]["name"]


def test_attachment_is_served_with_tag_and_ranges(couchdb_url: str, couchdb_prefix: str) -> None:
    database = f"{couchdb_url}/{couchdb_prefix}blobs"
    assert requests.put(database, timeout=TIMEOUT).status_code == 201
    picture = os.urandom(50_000)
    put = requests.put(f"{database}/a/data", data=picture, headers={"Content-Type": "image/png"}, timeout=TIMEOUT)
    assert put.status_code == 201
    whole = requests.get(f"{database}/a/data", timeout=TIMEOUT)
    assert (whole.content, whole.headers["Content-Type"]) == (picture, "image/png")
    tag = {"If-None-Match": whole.headers["ETag"]}
    assert requests.get(f"{database}/a/data", headers=tag, timeout=TIMEOUT).status_code == 304
    part = requests.get(f"{database}/a/data", headers={"Range": "bytes=10-19"}, timeout=TIMEOUT)
    assert (part.status_code, part.content) == (206, picture[10:20])
    assert requests.head(f"{database}/a/data", timeout=TIMEOUT).headers["Content-Length"] == "50000"


def test_multipart_document_names_attachments_by_order(couchdb_url: str, couchdb_prefix: str) -> None:
    database = f"{couchdb_url}/{couchdb_prefix}blobs"
    requests.put(database, timeout=TIMEOUT).raise_for_status()
    document = (
        '{"kind": "x", "_attachments": {'
        '"one": {"follows": true, "content_type": "image/png", "length": 5},'
        '"two": {"follows": true, "content_type": "image/jpeg", "length": 0}}}'
    )
    body = f"--b\r\nContent-Type: application/json\r\n\r\n{document}\r\n--b\r\n\r\n\r\n--b\r\n--b\r\n\r\n\r\n--b--"
    headers = {"Content-Type": 'multipart/related; boundary="b"'}
    refused = requests.put(f"{database}/bad", data=body, headers=headers, timeout=TIMEOUT)
    assert (refused.status_code, refused.json()["error"]) == (400, "bad_request")
    body = body.replace("\r\n\r\n\r\n--b\r\n--b", "\r\n\r\nh\r\nlo\r\n--b")
    requests.put(f"{database}/good", data=body, headers=headers, timeout=TIMEOUT).raise_for_status()
    assert requests.get(f"{database}/good/one", timeout=TIMEOUT).content == b"h\r\nlo"
    assert requests.get(f"{database}/good/two", timeout=TIMEOUT).content == b""
    assert requests.get(f"{database}/good", timeout=TIMEOUT).json()["kind"] == "x"


def test_large_bodies_pass(couchdb_url: str, couchdb_prefix: str) -> None:
    database = f"{couchdb_url}/{couchdb_prefix}blobs"
    requests.put(database, timeout=TIMEOUT).raise_for_status()
    picture = bytes(64 * 1024 * 1024)
    requests.put(f"{database}/big/data", data=picture, timeout=TIMEOUT).raise_for_status()
    assert requests.get(f"{database}/big/data", timeout=TIMEOUT).content == picture
    documents = [{"_id": f"d{number}", "text": "x" * 999_000} for number in range(64)]
    answer = requests.post(f"{database}/_bulk_docs", json={"docs": documents}, timeout=TIMEOUT)
    assert [row["id"] for row in answer.json()] == [document["_id"] for document in documents]


def test_documents_survive_kill_and_restart(own_couch: CouchServer) -> None:
    database = f"{own_couch.url}/kept"
    requests.put(database, timeout=TIMEOUT).raise_for_status()
    requests.put(f"{database}/a", json={"value": 1}, timeout=TIMEOUT).raise_for_status()
    own_couch.kill()
    own_couch.start()
    assert requests.get(f"{database}/a", timeout=TIMEOUT).json()["value"] == 1
    own_couch.terminate()
    wait_for(lambda: not own_couch.is_running, "an end without force")
    own_couch.restart()
    assert requests.get(f"{own_couch.url}/_all_dbs", timeout=TIMEOUT).json() == ["kept"]
