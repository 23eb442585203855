"""What each program's user may do at the broker; the chart's definitions say the same, and a test compares them."""

from dataclasses import dataclass

_SHARED = (
    r"images|results|outcomes|dead|activity|frames|events|looks|replies|(work|dead|frames|results)\..*"
    r"|activity\.journal|events\.alerter"
)


@dataclass(frozen=True)
class BrokerRights:
    """Regular expressions of the names of exchanges and queues.

    Nobody may write to the default exchange (`amq.default`), which leads to every queue there is.
    """

    configure: str = "^$"
    write: str = "^$"
    read: str = "^$"


BROKER_RIGHTS = {
    "api": BrokerRights(
        configure=r"^api\..*$",
        write=r"^(images|outcomes|activity|frames|events|looks|api\..*)$",
        read=r"^(outcomes|activity|events|replies|api\..*)$",
    ),
    "worker": BrokerRights(write="^(results|activity|replies)$", read=r"^work\..*$"),
    "writer": BrokerRights(configure=f"^({_SHARED})$", write=f"^({_SHARED})$", read=f"^({_SHARED})$"),
    "journal": BrokerRights(read=r"^activity\.journal$"),
    "camera": BrokerRights(
        configure=r"^camera\..*$",
        write=r"^(frames|events|activity|replies|camera\..*)$",
        read=r"^(looks|camera\..*)$",
    ),
    "analyzer": BrokerRights(write="^(events|activity)$", read=r"^frames\..*$"),
    "alerter": BrokerRights(write="^(events|activity)$", read=r"^events\.alerter$"),
}
