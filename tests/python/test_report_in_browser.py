"""The report in a real browser: headless Chromium, at the width of a desktop and of a phone."""

import shutil

import pytest

import lmrnn
from lmrnn import report

selenium = pytest.importorskip("selenium")
from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver here"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def browser(small_run, tmp_path_factory):
    copy = tmp_path_factory.mktemp("page") / "run"
    shutil.copytree(small_run.directory, copy)
    lmrnn.analyze(copy, "weights")  # its figure is wider than a phone
    page = report.write_report(copy, copy / "page.html")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    # Nothing from outside the file may be needed.
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    driver.get(page.as_uri())
    yield driver
    driver.quit()


def set_width(browser, width):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": width < 600},
    )


def test_the_console_is_empty(browser):
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("width", [1280, 390])
def test_every_figure_is_drawn_and_fits(browser, width):
    set_width(browser, width)
    figures = browser.find_elements(By.CSS_SELECTOR, "figure")
    assert len(figures) >= 12
    for figure in figures:
        caption = figure.find_element(By.TAG_NAME, "figcaption").text
        size = figure.find_element(By.TAG_NAME, "svg").size
        assert size["width"] > 200 and size["height"] > 60, caption
        # Wide figures scroll within their own box.
        assert figure.find_element(By.CLASS_NAME, "picture").size["width"] <= width, caption
        shapes = "return arguments[0].querySelectorAll('path, use, image').length"
        assert browser.execute_script(shapes, figure) > 5, caption
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_text_in_figures_can_be_read(browser, width):
    """The smallest letters, of 7 points, are at least 7 CSS pixels high."""
    set_width(browser, width)
    scales = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')]"
        ".map(svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"
    )
    assert len(scales) >= 13 and min(scales) >= 1, scales
    wide = browser.find_element(By.CSS_SELECTOR, "figure.wide .picture")
    scrolls = "return arguments[0].scrollWidth > arguments[0].clientWidth"
    assert browser.execute_script(scrolls, wide) == (width < 600)


def column(browser, name):
    table = browser.find_element(By.CSS_SELECTOR, "#scores table")
    heads = [head.text.split(" ")[0] for head in table.find_elements(By.TAG_NAME, "th")]
    index = heads.index(name)
    rows = table.find_elements(By.CSS_SELECTOR, "tbody tr")
    return [row.find_elements(By.TAG_NAME, "td")[index].text for row in rows]


def click(browser, name):
    heads = browser.find_elements(By.CSS_SELECTOR, "#scores th button")
    head = next(head for head in heads if head.text.split(" ")[0] == name)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", head)
    head.click()


def test_tables_sort_by_number_and_by_name(browser):
    set_width(browser, 1280)
    before = column(browser, "task")
    click(browser, "decision")
    values = [float(text) for text in column(browser, "decision")]
    assert values == sorted(values) and len(values) == 5
    click(browser, "decision")
    assert [float(text) for text in column(browser, "decision")] == sorted(values, reverse=True)
    click(browser, "task")
    assert column(browser, "task") == sorted(before)
    sorted_by = browser.find_elements(By.CSS_SELECTOR, "#scores th[aria-sort=ascending]")
    assert [head.text.split(" ")[0] for head in sorted_by] == ["task"]


def test_folded_parts_open(browser):
    # The last one is the whole configuration.
    details = browser.find_elements(By.CSS_SELECTOR, "#provenance details")[-1]
    assert not details.find_element(By.TAG_NAME, "pre").is_displayed()
    summary = details.find_element(By.TAG_NAME, "summary")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", summary)
    summary.click()
    assert "[battery]" in details.find_element(By.TAG_NAME, "pre").text
