"""Uploading through the page in a browser, for tests."""

from collections.abc import Sequence
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from browsing import text


def files(folder: Path, contents: Sequence[bytes], name: str = "IMG_{:03}.jpg") -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / name.format(index) for index in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def choose(driver: Chrome, paths: Sequence[Path]) -> None:
    driver.find_element(By.ID, "files").send_keys("\n".join(map(str, paths)))


def drag(driver: Chrome, kind: str, paths: Sequence[Path]) -> None:
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    driver.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": 30, "y": 30, "data": data})


def drop(driver: Chrome, paths: Sequence[Path]) -> None:
    for kind in ("dragEnter", "dragOver", "drop"):
        drag(driver, kind, paths)


def states(driver: Chrome) -> list[str]:
    script = "return [...document.querySelectorAll('.sheet-row .c-state')].map((cell) => cell.textContent)"
    found: list[str] = driver.execute_script(script)
    return found


def names(driver: Chrome) -> list[str]:
    script = "return [...document.querySelectorAll('.sheet-row .c-name')].map((cell) => cell.title)"
    found: list[str] = driver.execute_script(script)
    return found


def total(driver: Chrome) -> str:
    """The line that adds up."""
    return " ".join(text(driver, "#sum").split())


def ended(driver: Chrome) -> bool:
    return "Finished in" in text(driver, "#remains")


def batch_of(driver: Chrome) -> str:
    """The batch of the upload that is shown."""
    return str(driver.find_element(By.ID, "batch-link").get_attribute("href")).rpartition("/")[2]
