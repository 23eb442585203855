"""The broker's address: KEDA has it in each trigger, the operator once, in its environment."""

from collections.abc import Iterable

from imagemill_operator.convert.fields import Fields
from imagemill_operator.convert.model import Converted, Note, Notes
from imagemill_operator.convert.triggers import LITERAL

AMQP_SETTING = "as AMQP_URL"
HTTP_SETTING = "as IMAGEMILL_BROKER_MANAGEMENT_URL, without the virtual host at its end"
ADDRESS = f"give it to the operator, {AMQP_SETTING} if it begins with amqp, {HTTP_SETTING}, if with http"
BEST = (
    "IMAGEMILL_BROKER_METRICS_URL, the address of RabbitMQ's Prometheus plugin (http://host:15692), is the best the "
    "operator can have, and KEDA had none: give it too."
)
LOGIN = "belongs into the operator's addresses: scheme://user:password@host"
SWITCH = "is nothing to fill in: an amqps or https address says it"
BESIDE = "into a Secret that the pool names in brokerRef, beside the address"
PARAMETERS = {
    "host": f"is the broker's address: {ADDRESS}",
    "vhostName": "is the virtual host of the queues: write it into spec.vhost, or convert again with --vhost",
    "username": LOGIN,
    "password": LOGIN,
    "protocol": SWITCH,
    "tls": SWITCH,
    "ca": f"is the broker's CA: put it, as ca.crt, {BESIDE}; or, if all pools have one broker, mount it into the "
    "operator's pod and name the file in the variable SSL_CERT_FILE",
    "cert": f"is the certificate to show: put it, as tls.crt, {BESIDE}",
    "key": f"is the key of the certificate to show: put it, as tls.key, {BESIDE}",
}
LOST_PARAMETERS = {
    "keyPassword": "has no equivalent: the operator takes keys that are not encrypted, which a Secret keeps as well",
    "workloadIdentityResource": "has no equivalent: give the operator a user with a password",
}
REFERENCES = {"secretTargetRef": "Secret", "configMapTargetRef": "ConfigMap"}
STORES = ("filePath", "hashiCorpVault", "azureKeyVault", "gcpSecretManager", "awsSecretManager")
TOKENS = ("oauth2", "boundServiceAccountToken")


def note_authentication(document: Fields, notes: Notes, *, is_wanted: bool) -> None:
    """Say which settings of the operator take the place of a TriggerAuthentication."""
    if not is_wanted:
        notes.add("No rabbitmq trigger among the documents refers to it: the operator needs nothing of it.")
        return
    spec = document.object("spec")
    for field, kind in REFERENCES.items():
        for reference in spec.objects(field):
            where = f"{kind} {reference.text('name')}, key {reference.text('key')}"
            _note_parameter(reference.text("parameter"), where, notes)
    for variable in spec.objects("env"):
        where = f"The variable {variable.text('name')} of the scaled containers"
        _note_parameter(variable.text("parameter"), where, notes)
    _note_stores(spec, notes)
    if document.text("kind") == "ClusterTriggerAuthentication" and spec.objects("secretTargetRef"):
        notes.add("Its Secrets are in KEDA's namespace: copy what the operator needs into the operator's own.")


def _note_parameter(parameter: str, where: str, notes: Notes) -> None:
    if parameter in LOST_PARAMETERS:
        notes.lost(f"{where} ({parameter}) {LOST_PARAMETERS[parameter]}.")
    else:
        notes.add(f"{where} ({parameter}) {PARAMETERS.get(parameter, 'is nothing that the operator reads')}.")


def _note_stores(spec: Fields, notes: Notes) -> None:
    for field in STORES:
        if spec.has(field):
            notes.add(f"{field}: the operator reads no such store. Bring the address into a Secret, and {ADDRESS}.")
    for field in TOKENS:
        if spec.has(field):
            notes.lost(f"{field} has no equivalent: give the operator a user with a password.")
    provider = spec.object("podIdentity").text("provider", "none")
    if provider != "none":
        notes.lost(f"podIdentity {provider} has no equivalent: give the operator a user with a password.")


def note_brokers(items: Iterable[Converted]) -> list[Note]:
    """Say what KEDA's addresses are to the operator, how pools name several brokers, and that it has one namespace."""
    items = list(items)
    brokers = list(dict.fromkeys(broker for item in items if item.pool for broker in item.brokers))
    told = {item.source for item in items}
    sources = dict.fromkeys(source for broker in brokers for source in broker if source not in told)
    notes = [Note("The broker", f"KEDA had it from {source}: {_setting(source)}.") for source in sources]
    best = [Note("The broker", BEST)] if brokers else []
    return [*notes, *best, *_note_several(brokers), *_note_namespaces(items)]


def _setting(source: str) -> str:
    if not source.startswith(LITERAL):
        return ADDRESS
    return f"give it to the operator {AMQP_SETTING if source.startswith(f'{LITERAL}amqp') else HTTP_SETTING}"


def _note_several(brokers: Iterable[tuple[str, ...]]) -> list[Note]:
    """One host that KEDA asks over AMQP and HTTP is one broker."""
    named = {tuple(_host(source) for source in broker): " with ".join(broker) for broker in brokers}
    if len(named) < 2:
        return []
    text = (
        "A pool has one broker. If these are different ones, name a Secret with the keys amqp-url, management-url and "
        "metrics-url (any of them) in brokerRef.secretName of each pool, and in brokerSecrets of the chart: "
        f"{'; '.join(named.values())}."
    )
    return [Note("The broker", text)]


def _host(source: str) -> str:
    if not source.startswith(LITERAL):
        return source
    address = source.partition("://")[2]
    return address.rpartition(":")[0] or address


def _note_namespaces(items: Iterable[Converted]) -> list[Note]:
    namespaces = sorted({item.pool["metadata"].get("namespace", "") for item in items if item.pool})
    if len(namespaces) < 2:
        return []
    named = ", ".join(namespace or "the current one" for namespace in namespaces)
    return [Note("The operator", f"It serves one namespace: run one in each of {named}.")]
