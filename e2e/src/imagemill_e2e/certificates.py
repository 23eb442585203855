"""Certificates for the servers of the chart, of an authority that is made for it."""

import trustme

from imagemill_e2e.chart import NAMESPACE, of_kind, render
from imagemill_e2e.cluster import Resource


def certificate_secret(name: str, namespace: str) -> Resource:
    """A Secret as `tls.existingSecret` wants it, for the names that the chart would ask cert-manager for."""
    manifests = render({"tls": {"enabled": True, "issuer": {"name": "any"}}})
    names = [one.replace(NAMESPACE, namespace) for one in of_kind(manifests, "Certificate")[0]["spec"]["dnsNames"]]
    authority = trustme.CA()
    certificate = authority.issue_cert(*names)
    values = {
        "ca.crt": authority.cert_pem.bytes(),
        "tls.crt": b"".join(part.bytes() for part in certificate.cert_chain_pems),
        "tls.key": certificate.private_key_pem.bytes(),
    }
    return {
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": name},
        "stringData": {key: value.decode() for key, value in values.items()},
    }  # fmt: skip
