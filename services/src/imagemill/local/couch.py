"""CouchDB's HTTP API on this machine: a CouchDB that is installed, or a stand-in for development."""

import base64
import http.client
import os
import shutil
import subprocess
from abc import abstractmethod
from pathlib import Path

from imagemill.local.ports import free_ports, holder, is_free
from imagemill.local.process import private_file, start_child
from imagemill.local.servers import USER, LocalError, LocalServer, program
from imagemill.local.stand_in import installed_stand_in

# Erlang's schedulers spin for a while before they sleep: CPU time that other programs of the machine need.
_NO_SPINNING = "+sbwt none\n+sbwtdcpu none\n+sbwtdio none\n"


class CouchServer(LocalServer):
    """A private server of CouchDB's HTTP API in `folder`, with one administrator."""

    name = "CouchDB"

    def __init__(self, folder: Path, port: int | None = None) -> None:
        super().__init__(folder)
        self.port = port or free_ports(1)[0]

    @property
    def url(self) -> str:
        """The address, with user and password."""
        return f"http://{self.user}:{self.password}@127.0.0.1:{self.port}"

    def _launch(self) -> "subprocess.Popen[bytes]":
        if not is_free(self.port):
            who = holder(self.port) or "another program"
            raise LocalError(f"Port {self.port}, which {self.name} needs, is taken by {who}.")
        command, environment = self._command()
        with self.console.open("wb") as output:
            return start_child(command, environment=environment, output=output, folder=self.folder)

    @abstractmethod
    def _command(self) -> tuple[list[str], dict[str, str]]:
        """Program and environment; writes whatever configuration they name."""

    def _answers(self) -> bool:
        """Asks as the administrator: a server that is up but does not know its user is not ready."""
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/_all_dbs", headers={"Authorization": f"Basic {token}"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()


class StandInServer(CouchServer):
    """PouchDB behind CouchDB's HTTP API: for development, where CouchDB is not installed."""

    name = "CouchDB's stand-in"

    def _command(self) -> tuple[list[str], dict[str, str]]:
        node = program(
            "node", "The CouchDB stand-in needs Node.js: install it (Debian: nodejs, npm) or set COUCHDB_URL."
        )
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "STAND_IN_DATA": str(self.folder / "data"),
            "STAND_IN_PORT": str(self.port),
            "STAND_IN_USER": self.user,
            "STAND_IN_PASSWORD": self.password,
        }
        # PouchDB's packages are full of `new Buffer`: the warnings would be all that the log ever says.
        return [node, "--no-deprecation", str(installed_stand_in() / "server.js")], environment


class NativeServer(CouchServer):
    """The machine's own CouchDB 3 program, with configuration, data and log in our folder."""

    def __init__(self, folder: Path, executable: Path, port: int | None = None) -> None:
        super().__init__(folder, port)
        self.executable = executable.resolve()

    def _command(self) -> tuple[list[str], dict[str, str]]:
        own = private_file(self.folder / "local.ini", _native_ini(self.folder, self.port, self.password))
        arguments = private_file(self.folder / "vm.args", "-noinput\n+Bd\n+S 2:2\n" + _NO_SPINNING)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "COUCHDB_INI_FILES": f"{self.executable.parents[1] / 'etc' / 'default.ini'} {own}",
            # Without a node name in it CouchDB stays alone: no Erlang distribution, no port mapper.
            "COUCHDB_ARGS_FILE": str(arguments),
        }
        return [str(self.executable)], environment


def local_couch(folder: Path, port: int | None = None) -> CouchServer:
    """CouchDB when it is installed, else the stand-in; their states lie beside each other, never mixed."""
    executable = shutil.which("couchdb")
    if executable:
        return NativeServer(folder / "couchdb", Path(executable), port)
    return StandInServer(folder / "couchdb-stand-in", port)


def _native_ini(folder: Path, port: int, password: str) -> str:
    """`single_node` has CouchDB create _users and _replicator itself."""
    return f"""[couchdb]
single_node = true
database_dir = {folder / "data"}
view_index_dir = {folder / "data"}
attachment_stream_buffer_size = 1048576
[chttpd]
bind_address = 127.0.0.1
port = {port}
require_valid_user_except_for_up = true
admin_only_all_dbs = false
[log]
writer = stderr
level = warning
[admins]
{USER} = {password}
"""
