"""Video files made by the tests, with motions whose times are known."""

import cv2

from motion.scenes import as_picture, lamp, place, shaken, walk

FPS = 4


def write(path, pictures, fps=FPS):
    """A video; .avi is Motion JPEG, .mp4 is MPEG-4."""
    kind = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = None
    for picture in pictures:
        if writer is None:
            size = (picture.shape[1], picture.shape[0])
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*kind), fps, size)
            assert writer.isOpened()
        writer.write(picture)
    writer.release()
    return path


GROUND = place()
MOTIONS = [(6, 16), (60, 66), (110, 125)]
NOISY = [("lamp on", 30), ("lamp off", 34), ("shake", 85)]
SECONDS = 165


def yard(second):
    """Three walks; in between a lamp is lit for 20 s, and the wind shakes the camera."""
    scene = GROUND
    for begin, end in MOTIONS:
        if begin <= second < end:
            scene = walk(GROUND, begin, end, speed=600 / (end - begin))(second)
    if 30 <= second < 50:
        scene = lamp(scene)
    if 85 <= second < 95:
        turn = int(second * FPS) % 4
        scene = shaken(scene, (4, -3, 2, -5)[turn], (-3, 4, -4, 2)[turn])
    return scene


def yard_video(path, rng):
    return write(path, (as_picture(yard(number / FPS), rng) for number in range(SECONDS * FPS)))


def tiny_video(path, seconds, fps=10):
    """Each second has its own brightness."""
    frames = (
        as_picture(GROUND * (0.3 + (number // fps) * 0.1), None, noise=0)[::4, ::4] for number in range(seconds * fps)
    )
    return write(path, frames, fps)


SHORT_MOTIONS = [(3, 5.5), (11, 13)]
SHORT_SECONDS = 17


def short_yard_video(path, rng):
    """Two walks; between them, once the first is over, a lamp is switched on."""

    def shown(second):
        ground = lamp(GROUND) if second >= 9 else GROUND
        for begin, end in SHORT_MOTIONS:
            if begin <= second < end:
                return walk(ground, begin, end, speed=600 / (end - begin))(second)
        return ground

    return write(path, (as_picture(shown(number / FPS), rng) for number in range(SHORT_SECONDS * FPS)))
