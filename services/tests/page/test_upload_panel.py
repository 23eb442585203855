"""What the panel of uploads asks for and shows; the test plays the worker in which uploads live."""

import uuid
from pathlib import Path

from selenium.webdriver import Chrome

import pictures
from browsing import Open, before_any_script, console, text
from mill import Mill, wait_for
from uploading import choose, drop, files, names, total

_PLAYED = """
window.asked = [];
window.previews = 0;
const create = document.createElement.bind(document);
document.createElement = (tag) => ((window.previews += Number(tag === 'img')), create(tag));
window.SharedWorker = class extends EventTarget {
  constructor(_, { name }) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    if (name !== 'imagemill-uploads') return;
    port2.onmessage = ({ data }) => {
      window.asked.push(data);
      if (data.kind === 'part' && window.listed) port2.postMessage(window.listed(data.part));
    };
    window.tell = (batch, stored, failed) => port2.postMessage({ kind: 'state', state: {
      batch, recipes: ['gray'], offered: 9, inFlight: 9 - stored - failed, toSend: 0, bytesDone: 0, bytesAll: 0,
      counts: { missing: 0, waiting: 0, sending: 0, accepted: 9 - stored - failed, taken: 0, done: 0, stored, failed,
                rejected: 0, cancelled: 0 },
      bytesSent: 0, perSecond: null, bytesPerSecond: null, tookSeconds: 0, looking: 0, known: 0, there: 0,
      chosenTwice: 0, unsent: 0, passing: 0, reasons: [], note: '', paused: false, signedOut: false, reading: false,
    } });
  }
};
"""

_ROWS = """
window.listed = ({ first, last }) => ({ kind: 'rows', first, count: 10000,
  rows: Array.from({ length: last - first }, (_, at) => ({
  path: `IMG_${first + at}.jpg`, size: 1, recipe: 'gray', state: 'stored', id: `id-${first + at}`, reason: '',
  duplicate: false, damaged: false, reached: 4,
})) });
"""
# A screenful a frame, for half a second.
_SCROLL = """
const [done] = arguments, scroller = document.querySelector('.sheet-scroll'), until = performance.now() + 500;
requestAnimationFrame(function frame(now) {
  scroller.scrollTop += 500;
  if (now < until) requestAnimationFrame(frame);
  else done();
});
"""


def test_files_go_into_the_batch_of_the_address_whatever_else_is_told_of(
    mill: Mill, browser: Open, tmp_path: Path
) -> None:
    wanted = uuid.uuid4().hex
    driver = browser()
    with before_any_script(driver, _PLAYED):
        driver.get(f"{mill.url}/?batch={wanted}")
        wait_for(lambda: asked(driver, "look") == [wanted], "the page to be ready")
        driver.execute_script("tell('another', 1, 0)")
        drop(driver, files(tmp_path, [pictures.photo_jpeg(8, 8)]))
        wait_for(lambda: asked(driver, "add") == [wanted], "the file to be added there")
        assert driver.execute_script("return document.querySelector('#progress').hidden") is True


def test_files_that_are_chosen_one_after_the_other_go_into_one_batch(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    with before_any_script(driver, _PLAYED):
        driver.get(mill.url)
        paths = files(tmp_path, [pictures.photo_jpeg(8, 8), pictures.photo_jpeg(8, 9)])
        for path in paths:  # No worker has answered yet.
            choose(driver, [path])
        wait_for(lambda: len(asked(driver, "add")) == 2, "both")
        assert len(set(asked(driver, "add"))) == 1


def test_the_focus_stays_on_what_the_panel_counts(mill: Mill, browser: Open) -> None:
    driver = browser()
    with before_any_script(driver, _PLAYED):
        driver.get(f"{mill.url}/pools")
        wait_for(lambda: asked(driver, "hello") != [], "the page to be ready")
        driver.execute_script("tell('some', 1, 1)")
        wait_for(lambda: "1 stored + 1 failed" in total(driver), "the sum")
        driver.execute_script("document.querySelector('#sum a').focus()")
        driver.execute_script("tell('some', 2, 1)")
        wait_for(lambda: "2 stored + 1 failed + 6 in flight" in total(driver), "the next sum")
        assert driver.execute_script("return document.activeElement.textContent") == "2 stored"
        driver.execute_script("tell('some', 9, 0)")
        wait_for(lambda: total(driver) == "9 offered = 9 stored + 0 failed + 0 in flight", "the last sum")
        assert driver.execute_script("return document.activeElement.textContent") == "9 stored"
        assert text(driver, "#upload-told") == "Finished."
    assert console(driver) == []


def test_who_scrolls_through_a_long_list_asks_for_no_preview_on_the_way(mill: Mill, browser: Open) -> None:
    batch = uuid.uuid4().hex
    driver = browser()
    with before_any_script(driver, _PLAYED), before_any_script(driver, _ROWS):
        driver.get(f"{mill.url}/?batch={batch}")
        wait_for(lambda: asked(driver, "look") == [batch], "the page to be ready")
        driver.execute_script("tell(arguments[0], 9, 0)", batch)
        wait_for(lambda: driver.execute_script("return window.previews") > 0, "previews of the first rows")
        before = driver.execute_script("return window.previews")
        driver.execute_async_script(_SCROLL)
        assert driver.execute_script("return window.previews") == before
        wait_for(lambda: driver.execute_script("return window.previews") > before, "previews where it stopped")
        assert names(driver)[-1] != "IMG_0.jpg"


def asked(driver: Chrome, kind: str) -> list[str | None]:
    script = "return window.asked.filter(({ kind }) => kind === arguments[0]).map(({ batch }) => batch ?? null)"
    found: list[str | None] = driver.execute_script(script, kind)
    return found
