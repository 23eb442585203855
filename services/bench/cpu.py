"""CPU time per image in a worker against the same work in a bare loop of OpenCV."""

import signal
import statistics
import time
from pathlib import Path

import cv2
import numpy as np

import pictures
from bench.surroundings import cpu_seconds, mill, variants
from bench.table import show
from imagemill import recipes
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from imagemill.wire import declaring, topology
from imagemill.wire.broker import parameters_of
from mill import Mill

IMAGES = 40
ROUNDS = 12


def bare_loop(data: list[bytes], decode: int) -> float:
    """CPU seconds per image of OpenCV alone, one thread."""
    began = time.process_time()
    for item in data:
        pixels = cv2.imdecode(np.frombuffer(item, np.uint8), decode)
        grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
        cv2.imencode(".png", grey)
    return (time.process_time() - began) / len(data)


def worker_cpu(running: Mill, data: list[bytes]) -> float:
    """CPU seconds per image of the worker process, all that it does included."""
    # The queue is filled first, and results are stored afterwards: programs which share the processors' caches with
    # the worker would be measured with it.
    running.stop("writer")
    running.signal("worker", signal.SIGSTOP)
    for n in range(0, len(data), 20):
        running.accepted(*data[n : n + 20])
    before = cpu_seconds(running.pid("worker"))
    running.signal("worker", signal.SIGCONT)
    results = parameters_of(running.amqp_url, "benchmark")
    while declaring.ready_at(results, topology.RESULTS_QUEUES) < len(data):
        time.sleep(0.25)
    spent = cpu_seconds(running.pid("worker")) - before
    running.start("writer")
    running.all_ended(300)
    return spent / len(data)


def bench_cpu(folder: Path, rabbit: RabbitServer, couch: CouchServer) -> None:
    recipes.single_threaded()
    base = [pictures.photo_jpeg(1920, 1080, seed) for seed in range(20)]
    rows = []
    with mill(folder, rabbit, couch, "cpu") as running:
        running.start("writer", "api", "journal")
        running.start("worker", preview_pixels=0)  # bench.previews measures them
        worker_cpu(running, variants(base, 20, "warm-up"))
        for n in range(ROUNDS):
            fresh = variants(base, IMAGES, str(n))
            before = bare_loop(fresh, cv2.IMREAD_COLOR), bare_loop(fresh, cv2.IMREAD_GRAYSCALE)
            ours = worker_cpu(running, fresh)
            # Before and after, in many short rounds, because a shared machine is not equally fast all the time.
            after = bare_loop(fresh, cv2.IMREAD_COLOR), bare_loop(fresh, cv2.IMREAD_GRAYSCALE)
            rows.append((ours, (before[0] + after[0]) / 2, (before[1] + after[1]) / 2))
    show(
        f"CPU time per image, 1080p JPEG to grey PNG ({ROUNDS} rounds of {IMAGES})",
        ["what", "ms (median)", "worker ÷ this (median, middle half)", "goal"],
        [
            ["worker process, everything but previews", f"{milliseconds(rows, 0):.1f}", "1", ""],
            [
                "bare OpenCV, decoded grey (what the recipe does)",
                f"{milliseconds(rows, 2):.1f}",
                ratios(rows, 2),
                "≤ 1.15",
            ],
            ["bare OpenCV, decoded in colour, then grey", f"{milliseconds(rows, 1):.1f}", ratios(rows, 1), ""],
        ],
    )


def milliseconds(rows: list[tuple[float, float, float]], column: int) -> float:
    return statistics.median(row[column] for row in rows) * 1000


def ratios(rows: list[tuple[float, float, float]], column: int) -> str:
    found = sorted(row[0] / row[column] for row in rows)
    lower, median, upper = statistics.quantiles(found, n=4)
    return f"{median:.2f} ({lower:.2f} to {upper:.2f})"
