"""Ports that are chosen now and listened on later."""

import subprocess
import sys

from imagemill.local import ports
from imagemill.local.ports import accepts, free_ports, is_free, listener

LISTEN = (
    "import socket, sys; server = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
    "print('up', flush=True); sys.stdin.read()"
)
CHOOSE = "from imagemill.local import ports; ports._CHOICE = range({0}, {0} + 1); print(ports.free_ports(1))"


def test_a_port_is_not_given_out_twice_by_any_process() -> None:
    (port,) = free_ports(1)
    assert not ports._keep(port)
    command = [sys.executable, "-c", CHOOSE.format(port)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "[]\n"


def test_a_server_may_listen_on_the_port_come_back_to_it_and_nobody_answers_meanwhile() -> None:
    (port,) = free_ports(1)
    for _ in range(2):
        assert is_free(port)
        assert not accepts(port)
        command = [sys.executable, "-c", LISTEN, str(port)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"up\n"
            assert accepts(port, 20)
            assert not is_free(port)
            assert listener(port) == server.pid
            server.kill()
        assert listener(port) is None


def test_only_so_many_ports_are_kept() -> None:
    free_ports(ports._MOST_KEPT + 5)
    assert len(ports._kept) <= ports._MOST_KEPT
