"""The program that reads cameras: frames at their rate onto the frames exchange, each camera by exactly one reader."""
