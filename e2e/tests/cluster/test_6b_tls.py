"""Everything between the programs and their servers through TLS, with an authority of the user's own."""

from imagemill_e2e.certificates import certificate_secret
from imagemill_e2e.cluster import Cluster
from imagemill_e2e.network import reaches
from imagemill_e2e.release import Install, check_it_works

BROKER, DATABASE = "mill-imagemill-rabbitmq", "mill-imagemill-couchdb"
# The protocol of a connection as a program makes it, and what becomes of one which believes another authority.
CONNECT = """
import socket, ssl, sys
for authority in (sys.argv[3], None):
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as plain:
            context = ssl.create_default_context(cafile=authority)
            with context.wrap_socket(plain, server_hostname=sys.argv[1]) as wrapped:
                print(wrapped.version())
    except ssl.SSLCertVerificationError:
        print("not believed")
"""


def test_programs_and_servers_speak_tls_and_nothing_else(cluster: Cluster, install: Install, batch: str) -> None:
    cluster.apply(certificate_secret("certificates", cluster.namespace))
    mill = install(
        "--set", "tls.enabled=true", "--set", "tls.existingSecret=certificates", "--set", "rabbitmq.replicas=1"
    )
    check_it_works(mill, batch)
    pod = cluster.running("worker-default")[0]
    for server, port in ((BROKER, 5671), (DATABASE, 6984)):
        said = cluster.execute(pod, "python", "-c", CONNECT, server, str(port), "/etc/imagemill-tls/ca.crt").split("\n")
        assert said[0].startswith("TLSv1."), server
        assert said[1] == "not believed", server
    assert not reaches(cluster, pod, BROKER, 5672)
    assert not reaches(cluster, pod, DATABASE, 5984)
