"""The page in a real browser, headless: it filters, opens, shows more, listens to the keyboard, and asks nobody."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconcile.views.html import render_html
from reconcile.views.plan_document import plan_document
from tests.views.poison import CORPUS, crowd, poisoned
from tests.views.samples import full_plan

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,900"),
)
_CONTRAST = """
const light = text => { const c = text.match(/[\\d.]+/g).slice(0, 3).map(v => { v /= 255;
  return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * c[0] + .7152 * c[1] + .0722 * c[2]; };
const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
  if (!/, 0\\)$|transparent/.test(c)) return c; } return 'rgb(255,255,255)'; };
const found = [];
for (const e of document.querySelectorAll('h1,h2,p,dt,dd,a,button,label,li,th,td,code,summary,.side,.act,.soft')) {
  if (!e.offsetParent || !e.textContent.trim()) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) found.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)} ${e.textContent.slice(0, 30)}`);
}
return found;
"""
_NAMELESS = """
return [...document.querySelectorAll('button,input,a,summary,section,nav,svg')].filter(e => {
  const by = e.getAttribute('aria-labelledby');
  return !(e.textContent.trim() && !['section', 'nav', 'svg'].includes(e.localName)) && !e.getAttribute('aria-label') &&
    !(by && document.getElementById(by)?.textContent.trim()) && !(e.labels && e.labels.length);
}).map(e => e.outerHTML.slice(0, 80));
"""
Open = Callable[[dict[str, Any]], Any]
MOST_ELEMENTS = 12_000  # tables beside the drawings among them, each cut at five hundred rows


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all of these, with a profile of its own that is empty."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def show(chromium: Any, tmp_path: Path) -> Open:
    """Open the page of a plan document at 1280 columns in light colours."""

    def page_of(document: dict[str, Any]) -> Any:
        path = tmp_path / "plan.html"
        path.write_text(render_html(document), encoding="utf-8")
        look(chromium, "light", 1280)
        chromium.get(path.as_uri())
        return chromium

    return page_of


def look(driver: Any, scheme: str, width: int) -> None:
    """Set the colour scheme and the width."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def one(driver: Any, selector: str) -> Any:
    """The element there."""
    return driver.find_element("css selector", selector)


def addresses(driver: Any) -> list[str]:
    """Those that are listed."""
    found = driver.execute_script("return [...document.querySelectorAll('#rows .addr')].map(e => e.textContent)")
    return [str(text) for text in found]


def until(driver: Any, holds: Callable[[], bool]) -> None:
    """Wait for what the page does a moment later."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 20).until(lambda _: holds())


def counted(driver: Any, text: str) -> None:
    """Wait until the line that screen readers hear says this."""
    until(driver, lambda: text in one(driver, "#count").text)


def opened(driver: Any) -> None:
    """Wait until every open change shows its fields."""
    script = "return [...document.querySelectorAll('#rows details[open]')].every(d => d.children.length > 1)"
    until(driver, lambda: bool(driver.execute_script(script)))


def test_it_opens_without_a_word_in_the_console_and_asks_nobody(show: Open) -> None:
    """No error, no refusal by its own policy, no request."""
    page = show(plan_document(full_plan()))
    assert page.get_log("browser") == []
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert one(page, "#count").get_attribute("role") == "status"
    counted(page, "Showing 13 of 13 changes.")


def test_chips_filter_by_action(show: Open) -> None:
    """Several add up; pressed again, everything is back."""
    page = show(plan_document(full_plan()))
    clear, trigger = (one(page, f'.chip[data-action="{action}"]') for action in ("clear", "trigger"))
    clear.click()
    assert addresses(page) == ['alarm.gone["a b"]'] and clear.get_attribute("aria-pressed") == "true"
    counted(page, "Showing 1 of 1 changes (13 without the filter).")
    trigger.click()
    assert len(addresses(page)) == 2
    one(page, "#all").click()
    assert len(addresses(page)) == 13 and clear.get_attribute("aria-pressed") == "false"


def test_words_filter_by_address_field_and_value(show: Open) -> None:
    """All words must be found; what fits nothing says so."""
    page = show(plan_document(full_plan()))
    one(page, "#find").send_keys("WEB-1 critical")
    counted(page, "Showing 1 of 1")
    assert addresses(page) == ["alarm.web-1-cpu-high"]
    one(page, "#find").send_keys(" nowhere")
    counted(page, "No change fits the filter.")


def test_a_change_opens_with_both_sides(show: Open) -> None:
    """Made only then; what differs is marked, and not by colour alone."""
    page = show(plan_document(full_plan()))
    one(page, "#find").send_keys("web-1 update")
    counted(page, "Showing 1 of 1")
    assert not page.find_elements("css selector", "#rows table")
    one(page, "#rows summary").click()
    opened(page)
    cells = [[cell.text for cell in row.find_elements("css selector", "th,td")] for row in _lines(page)]
    assert ["severity \u2260 changed", "Major", "Critical"] in [[" ".join(c.split()) for c in row] for row in cells]
    assert ["name", '"CPU usage high"', '"CPU usage high"'] in cells
    assert one(page, "#rows td.new").text


def _lines(page: Any) -> list[Any]:
    return list(page.find_elements("css selector", "#rows tbody tr"))


def test_the_keyboard_is_enough(show: Open) -> None:
    """Slash finds, Escape forgets, Enter opens, Space presses, and the first stop skips to the changes."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    page = show(plan_document(full_plan()))

    def press(*keys: str) -> Any:
        ActionChains(page).send_keys(*keys).perform()
        return page.switch_to.active_element

    assert press(Keys.TAB).text == "Skip to the changes"
    assert press("/").get_attribute("id") == "find"
    press("queue")
    counted(page, "Showing 1 of 1")
    press(Keys.ESCAPE)
    counted(page, "Showing 13 of 13")
    press(Keys.TAB, Keys.TAB, Keys.TAB, Keys.ENTER)
    assert one(page, "#rows details").get_attribute("open") is not None
    one(page, '.chip[data-action="defer"]').send_keys(Keys.SPACE)
    assert addresses(page) == ["handling.db-plan"]


def test_everything_that_can_be_used_has_a_name(show: Open) -> None:
    """Buttons, fields, links, landmarks and drawings; headings do not skip a level; the language is said."""
    page = show(plan_document(full_plan()))
    assert page.execute_script(_NAMELESS) == []
    levels = page.execute_script("return [...document.querySelectorAll('h1,h2,h3')].map(e => e.localName).join(' ')")
    assert levels.startswith("h1 h2") and levels.count("h1") == 1
    assert page.execute_script("return document.documentElement.lang") == "en"
    assert [len(page.find_elements("css selector", name)) for name in ("header", "main", "nav", "footer")] == [1, 1, 1, 1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_ground(show: Open, scheme: str) -> None:
    """At least 4.5 to 1, in both schemes, with a change open and a chip pressed; and the schemes differ."""
    page = show(plan_document(full_plan()))
    look(page, scheme, 1280)
    page.execute_script("document.querySelectorAll('.chip').forEach(c => c.setAttribute('aria-pressed', 'true'))")
    one(page, "#unfold").click()
    opened(page)
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.execute_script(_CONTRAST) == []
    ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(15, 20, 26)") == (scheme == "dark")


@pytest.mark.parametrize("width", [1280, 600, 360])
def test_the_page_never_scrolls_sideways(show: Open, width: int) -> None:
    """Drawings scroll in their own box; addresses and values break."""
    page = show(poisoned("x" * 300))
    look(page, "light", width)
    one(page, "#unfold").click()
    opened(page)
    assert page.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_hostile_text_is_shown_and_never_run(show: Open) -> None:
    """Every text of the corpus at once."""
    page = show(poisoned("".join(CORPUS)))
    one(page, "#unfold").click()
    opened(page)
    assert page.execute_script("return window.owned") is None and page.get_log("browser") == []
    assert not page.find_elements("css selector", "img, iframe, b > b, main script[src], [onerror], [onload]")
    assert "<script>window.owned=1</script>" in addresses(page)[0]


def elements(page: Any) -> int:
    """How much the browser has to lay out: bounded, whatever the plan."""
    return int(page.execute_script("return document.querySelectorAll('*').length"))


def test_twenty_thousand_changes_stay_quick(show: Open) -> None:
    """Two hundred at a time; more on demand, and the focus goes there."""
    page = show(crowd(report=12_000, clear=4_000, renew=3_000, trigger=1_000))
    assert len(addresses(page)) == 200
    assert elements(page) < MOST_ELEMENTS
    one(page, "#more").click()
    assert len(addresses(page)) == 400
    assert page.execute_script("return [...document.querySelectorAll('#rows summary')].indexOf(document.activeElement)") == 200
    elapsed = page.execute_script(
        "const began = performance.now(); document.querySelector('.chip[data-action=clear]').click();"
        "document.body.offsetHeight; return performance.now() - began"
    )
    assert elapsed < 1_500 and len(addresses(page)) == 200
    one(page, "#find").send_keys("03999")
    counted(page, "Showing 1 of 1 changes")


@pytest.mark.full
def test_a_hundred_thousand_changes_open(show: Open) -> None:
    """The size the page is made for."""
    page = show(crowd(report=60_000, update=20_000, clear=10_000, renew=10_000))
    counted(page, "Showing 200 of 100,000 changes.")
    loaded = page.execute_script("const t = performance.getEntriesByType('navigation')[0]; return t.domComplete - t.responseEnd")
    assert loaded < 5_000 and elements(page) < MOST_ELEMENTS
    one(page, "#unfold").click()
    assert elements(page) < 3 * MOST_ELEMENTS
