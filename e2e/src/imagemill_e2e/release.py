"""The chart installed anew, where the release of the other tests makes room."""

from collections.abc import Callable

from imagemill_e2e.cluster import RELEASE, Cluster
from imagemill_e2e.mill import Mill, picture
from imagemill_e2e.waiting import until

Install = Callable[..., Mill]


def make_room(cluster: Cluster) -> None:
    """Nothing of the release is left, the volumes included: their servers have other passwords."""
    cluster.helm("uninstall", RELEASE, "--ignore-not-found", "--wait", "--timeout", "5m")
    selector = f"app.kubernetes.io/instance={RELEASE}"
    until("the pods are gone", lambda: not cluster.all("pods", selector), 180)
    cluster.kubectl("delete", "persistentvolumeclaims", "--selector", selector, "--timeout=120s")


def check_it_works(mill: Mill, batch: str) -> None:
    """Both pools take pictures; the second one sleeps until the operator has seen its queue."""
    mill.upload([picture(600 + number) for number in range(10)], batch)
    mill.upload([picture(700)], batch, recipe="denoise")
    counts = mill.wait_done(batch)
    assert (counts["accepted"], counts["stored"]) == (11, 11)
