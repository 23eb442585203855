"""Servers behind TLS, with certificates of an authority that the test makes."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from imagemill.local.ports import free_ports
from imagemill.local.process import private_file
from imagemill.local.rabbit import RabbitServer

HOST = "localhost"


class Authority:
    """Vouches for `localhost`; `ca_file` is what programs are given."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        certificate = self._ca.issue_cert(HOST)
        self.ca_file, self.certificate, self.key = folder / "ca.crt", folder / "tls.crt", folder / "tls.key"
        self._ca.cert_pem.write_to_path(self.ca_file)
        certificate.private_key_pem.write_to_path(self.key)
        for part in certificate.cert_chain_pems:
            part.write_to_path(self.certificate, append=True)


class TlsRabbit(RabbitServer):
    """A broker that is spoken to through TLS; the settings are those of the chart."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder)
        self.authority, (self.tls_port,) = authority, free_ports(1)

    @property
    def tls_url(self) -> str:
        return f"amqps://{self.user}:{self.password}@{HOST}:{self.tls_port}/%2F"

    def _write_configuration(self) -> None:
        super()._write_configuration()
        path = self.folder / "rabbitmq.conf"
        lines = {
            "listeners.ssl.local": f"127.0.0.1:{self.tls_port}",
            "ssl_options.cacertfile": self.authority.ca_file,
            "ssl_options.certfile": self.authority.certificate,
            "ssl_options.keyfile": self.authority.key,
            "ssl_options.verify": "verify_none",
            "ssl_options.fail_if_no_peer_cert": "false",
        }
        private_file(path, path.read_text() + "".join(f"{key} = {value}\n" for key, value in lines.items()))


@contextmanager
def tls_front(upstream: str, authority: Authority) -> Iterator[str]:
    """Ends TLS before a server of plain HTTP; tells the address, with user and password."""
    parts = urlsplit(upstream)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        target = (str(parts.hostname), int(parts.port or 0))
        threading.Thread(target=_accept, args=(listening, context, target), daemon=True).start()
        user = parts.netloc.rpartition("@")[0]
        yield f"https://{user}@{HOST}:{listening.getsockname()[1]}"


def _accept(listening: socket.socket, context: ssl.SSLContext, target: tuple[str, int]) -> None:
    with contextlib.suppress(OSError):  # it was closed: the test is over
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_serve, args=(client, context, target), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, target: tuple[str, int]) -> None:
    with (
        contextlib.suppress(OSError),
        context.wrap_socket(client, server_side=True) as wrapped,
        socket.create_connection(target) as upstream,
    ):
        back = threading.Thread(target=_pump, args=(upstream, wrapped), daemon=True)
        back.start()
        _pump(wrapped, upstream)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
