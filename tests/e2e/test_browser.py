"""The sign-in page as a person meets it, in a browser."""

import json

import pytest

pytest.importorskip("selenium")

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

from conftest import SIGN_IN  # noqa: E402
from harness import contract, process, web  # noqa: E402
from harness.sessions import Session  # noqa: E402

pytestmark = pytest.mark.timeout(1000)


@pytest.fixture
def page(chrome, quickstart):
    """The page, fresh: no cookies, a wide window."""
    chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chrome.get(quickstart.env()["BASE_URL"] + "/")
    wait_for(chrome, "#form")
    chrome.get_log("browser")
    return chrome


def find(page, selector):
    return page.find_element(By.CSS_SELECTOR, selector)


def wait_for(page, selector, text=None):
    def there():
        seen = page.find_elements(By.CSS_SELECTOR, selector)
        return seen and seen[0].is_displayed() and (
            text is None or text in seen[0].text)
    process.wait_until(f"{selector} {text or ''}", there, 30, 0.05)
    return find(page, selector)


def type_and_submit(page, email, password):
    find(page, "#email").send_keys(email)
    find(page, "#password").send_keys(password, Keys.ENTER)


def complaints(page):
    """What the console says, but for the refusals that a test provokes."""
    return [entry for entry in page.get_log("browser")
            if "status of 401" not in entry["message"]
            and "status of 400" not in entry["message"]]


def cookies(page):
    found = page.execute_cdp_cmd("Network.getAllCookies", {})["cookies"]
    return {cookie["name"]: cookie for cookie in found}


def test_sign_in_and_who_it_is(page, quickstart):
    env = quickstart.env()
    assert "Sign in" in page.title
    assert not cookies(page)
    type_and_submit(page, env["EMAIL"], env["PASSWORD"])
    assert env["EMAIL"] in wait_for(page, "#who").text
    assert not find(page, "#password").is_displayed()
    assert not complaints(page)

    found = cookies(page)
    assert set(found) == {"postern-access", "postern-refresh",
                          "postern-device"}
    access, refresh = found["postern-access"], found["postern-refresh"]
    assert access["path"] == "/"
    assert refresh["path"] == "/v2/auth"
    for cookie in (access, refresh):
        assert cookie["httpOnly"] is True
        assert cookie["sameSite"] == "Lax"
        assert cookie["session"] is False
        assert cookie["domain"] == "127.0.0.1"  # of this host alone
    assert page.execute_script("return document.cookie") == ""
    # Nothing is kept where a script of another day would find it.
    assert page.execute_script(
        "return localStorage.length + sessionStorage.length") == 0


def test_wrong_password(page, quickstart):
    env = quickstart.env()
    type_and_submit(page, env["EMAIL"], "wrong")
    problem = wait_for(page, "#problem", "wrong")
    assert problem.get_attribute("role") == "alert"  # it is read out
    assert find(page, "#form").is_displayed()
    assert page.switch_to.active_element.get_attribute("id") == "password"
    assert not cookies(page)
    assert not complaints(page)

    # And then the right one: the message goes.
    find(page, "#password").send_keys(Keys.CONTROL + "a")
    find(page, "#password").send_keys(env["PASSWORD"], Keys.ENTER)
    wait_for(page, "#who", env["EMAIL"])


def test_empty_form_asks_for_what_is_missing(page):
    find(page, "#password").send_keys(Keys.ENTER)
    wait_for(page, "#email-error")
    assert find(page, "#email").get_attribute("aria-invalid") == "true"
    assert page.switch_to.active_element.get_attribute("id") == "email"


def test_by_keyboard_alone(page, quickstart):
    """Each control is reached by Tab, in the order in which it stands, and shows
    that it has the focus."""
    env = quickstart.env()
    order = []
    body = find(page, "body")
    body.send_keys(Keys.TAB)
    for _ in range(6):
        active = page.switch_to.active_element
        order.append(active.get_attribute("id"))
        if order[-1] in ("email", "password"):
            active.send_keys(env[order[-1].upper()])
        outline = page.execute_script(
            "const s = getComputedStyle(document.activeElement);"
            "return s.outlineStyle + s.outlineWidth + s.boxShadow;")
        assert outline != "none0pxnone", order[-1]
        if order[-1] == "submit":
            break
        active.send_keys(Keys.TAB)
    assert order[:2] == ["email", "password"]
    assert order[-1] == "submit"
    page.switch_to.active_element.send_keys(Keys.SPACE)
    wait_for(page, "#who", env["EMAIL"])
    # The focus went along, so a screen reader tells what happened.
    assert page.execute_script(
        "return document.querySelector('#signed-in')"
        ".contains(document.activeElement)")


def show_as(page, width, text_percent):
    """In a window of this width, and with text of this size."""
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 700, "deviceScaleFactor": 1,
        "mobile": width < 500})
    page.execute_script("document.documentElement.style.fontSize = "
                        "arguments[0] + '%'", text_percent)


SIZES = pytest.mark.parametrize(
    "width, text_percent",
    [(320, 100), (390, 100), (1000, 100), (320, 200), (390, 200), (1000, 200)])


@SIZES
def test_no_sideways_scrolling(page, quickstart, width, text_percent):
    env = quickstart.env()
    show_as(page, width, text_percent)

    def too_wide():
        """What is wider than the window, or sticks out of its card."""
        return page.execute_script("""
return document.documentElement.scrollWidth > innerWidth ? ['the page'] :
    [...document.querySelectorAll('.card *')]
    .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right >
        e.closest('.card').getBoundingClientRect().right)
    .map((e) => e.outerHTML);""")

    assert not too_wide()
    type_and_submit(page, env["EMAIL"], env["PASSWORD"])
    wait_for(page, "#who")
    wait_for(page, "#session-list .badge")
    assert not too_wide()


@SIZES
def test_no_button_covers_the_password(page, width, text_percent):
    """Neither the text nor the room for it; and some characters can be seen."""
    show_as(page, width, text_percent)
    text, button, letter = page.execute_script("""
const input = document.querySelector('#password');
const style = getComputedStyle(input);
const box = input.getBoundingClientRect();
const button = document.querySelector('#reveal').getBoundingClientRect();
return [
    { left: box.left + parseFloat(style.paddingLeft),
      right: box.right - parseFloat(style.paddingRight),
      top: box.top, bottom: box.bottom },
    { left: button.left, right: button.right,
      top: button.top, bottom: button.bottom },
    parseFloat(style.fontSize)];""")
    beside = button["left"] >= text["right"] or button["right"] <= text["left"]
    below = button["top"] >= text["bottom"]
    assert beside or below
    assert text["right"] - text["left"] >= 6 * letter
    assert 0 <= button["left"] < button["right"] <= width
    # Where it is, it can be clicked.
    find(page, "#reveal").click()
    assert find(page, "#password").get_attribute("type") == "text"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(page, quickstart, scheme):
    """Contrast of all text against what is behind it: WCAG AA, 4.5."""
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    try:
        type_and_submit(page, quickstart.env()["EMAIL"], "wrong")
        wait_for(page, "#problem", "wrong")
        poor = page.execute_script(CONTRAST)
        assert not poor, json.dumps(poor, indent=1)
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d',
    { willReadFrequently: true });
/* A CSS colour over others, as [r, g, b]. */
function paint(colours) {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}
function light(rgb) {
    const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.04045 ?
        c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const poor = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility() ||
        element.closest('noscript, script, [aria-hidden=true]'))
        continue;
    const behind = [];
    for (let e = element; e; e = e.parentElement)
        behind.unshift(getComputedStyle(e).backgroundColor);
    behind.unshift('white');
    const back = light(paint(behind));
    const front = light(paint([...behind, getComputedStyle(element).color]));
    const ratio = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
    if (ratio < 4.5)
        poor.push([element.id || element.className || element.tagName,
            walker.currentNode.textContent.trim().slice(0, 40), ratio]);
}
return poor;
"""


def test_every_control_has_a_name(page):
    nameless = page.execute_script("""
return [...document.querySelectorAll('input, button, a, select, textarea')]
    .filter((e) => !(e.labels && e.labels.length) &&
        !e.getAttribute('aria-label') && !e.textContent.trim())
    .map((e) => e.outerHTML);""")
    assert not nameless
    assert page.execute_script("return document.documentElement.lang") == "en"
    assert page.execute_script(
        "return document.querySelectorAll('h1').length") >= 1


def test_what_a_button_is_called_begins_with_what_it_shows(page):
    for word, kind in (("Show", "password"), ("Hide", "text"),
                       ("Show", "password")):
        button = find(page, "#reveal")
        assert button.text == word
        assert button.get_attribute("aria-label") == f"{word} password"
        assert find(page, "#password").get_attribute("type") == kind
        button.click()


def test_how_long_to_wait_is_read_out(page):
    """By what is an alert; the button counts without a word."""
    page.execute_script("""
const real = window.fetch;
window.fetch = (url, ...rest) => String(url).includes('sign-in') ?
    Promise.resolve(new Response(JSON.stringify({ success: false,
        errorCode: 'LIMIT_EXCEEDED', message: '' }), { status: 429,
        headers: { 'Retry-After': '90' } })) : real(url, ...rest);""")
    type_and_submit(page, "a@b.test", "x")
    problem = wait_for(page, "#problem", "Too many attempts")
    assert problem.get_attribute("role") == "alert"
    assert "Try again in 1 min 30 s." in problem.text
    button = find(page, "#submit")
    assert button.get_attribute("aria-disabled") == "true"
    assert "Try again in 1 min " in button.text


def test_a_hostile_answer_is_shown_as_text(page, quickstart):
    """What comes from the server never becomes markup."""
    page.execute_script("""
const real = window.fetch;
window.fetch = (url, ...rest) => String(url).includes('sign-in') ?
    Promise.resolve(new Response(JSON.stringify({ success: false,
        errorCode: '<img src=x onerror=alert(1)>', message: '<b id=evil>x</b>',
        detail: { email: '<b id=evil>x</b>' } }), { status: 400,
        headers: { 'Content-Type': 'application/json' } })) :
    real(url, ...rest);""")
    type_and_submit(page, "a@b.test", "x")
    wait_for(page, "#problem")
    assert not page.find_elements(By.CSS_SELECTOR, "#evil, #problem img")


def test_server_that_cannot_be_reached(page):
    page.execute_script("""
const real = window.fetch;
window.fetch = (url, ...rest) => String(url).includes('sign-in') ?
    Promise.reject(new TypeError('Failed to fetch')) : real(url, ...rest);""")
    type_and_submit(page, "a@b.test", "x")
    wait_for(page, "#problem", "reach")


# ---- once signed in ----------------------------------------------------------

@pytest.fixture
def signed_in(page, quickstart):
    env = quickstart.env()
    type_and_submit(page, env["EMAIL"], env["PASSWORD"])
    wait_for(page, "#who", env["EMAIL"])
    wait_for(page, "#session-list .badge")
    return page


def sign_in_elsewhere(quickstart, device):
    env = quickstart.env()
    answer = web.fetch(quickstart.port, "POST", SIGN_IN, json.dumps(
        {"email": env["EMAIL"], "password": env["PASSWORD"]}).encode(),
        {"Content-Type": "application/json", "User-Agent": device,
         "x-api-key": env["API_KEY"]})
    return Session(contract.check_signed_in(answer))


def is_over(quickstart, session):
    return web.fetch(quickstart.port, "GET", "/v2/users/me",
                     headers=session.bearer).status == 401


def rows(page):
    return [row.text for row in
            page.find_elements(By.CSS_SELECTOR, "#session-list li")]


def test_a_visitor_who_comes_back_is_known(signed_in, quickstart):
    signed_in.refresh()
    wait_for(signed_in, "#who", quickstart.env()["EMAIL"])
    assert not find(signed_in, "#form").is_displayed()
    assert not complaints(signed_in)


def test_signing_out(signed_in, quickstart):
    find(signed_in, "#sign-out").click()
    wait_for(signed_in, "#form")
    assert "signed out" in find(signed_in, "#goodbye").text
    assert signed_in.switch_to.active_element.get_attribute("id") == "email"
    # The browser is still a known one.
    assert set(cookies(signed_in)) == {"postern-device"}
    assert quickstart.env()["EMAIL"] not in signed_in.page_source
    assert not complaints(signed_in)


def test_ending_another_session(page, quickstart):
    other = sign_in_elsewhere(quickstart, "telnet")
    env = quickstart.env()
    type_and_submit(page, env["EMAIL"], env["PASSWORD"])
    wait_for(page, "#session-list", "telnet")
    [current] = [row for row in rows(page) if "this browser" in row]
    assert "Chromium on Linux" in current and "End" not in current
    row = find(page, "#session-list li:has(button[aria-label*=telnet])")
    row.find_element(By.TAG_NAME, "button").click()
    wait_for(page, "#note", "telnet")
    assert not any("telnet" in row for row in rows(page))
    assert is_over(quickstart, other)
    # What was pressed is gone; the focus went to the list's title.
    assert page.switch_to.active_element.get_attribute("id") == \
        "sessions-title"
    assert not complaints(page)


def test_signing_out_elsewhere(signed_in, quickstart):
    other = sign_in_elsewhere(quickstart, "telnet")
    signed_in.refresh()
    wait_for(signed_in, "#session-list", "telnet")
    find(signed_in, "#sign-out-others").click()
    wait_for(signed_in, "#note", "other sessions")
    assert len(rows(signed_in)) == 1
    assert not find(signed_in, "#sign-out-others").is_displayed()
    assert is_over(quickstart, other)
    signed_in.refresh()
    wait_for(signed_in, "#who")


def test_signing_out_everywhere(signed_in, quickstart):
    other = sign_in_elsewhere(quickstart, "telnet")
    find(signed_in, "#sign-out-all").click()
    wait_for(signed_in, "#form")
    assert is_over(quickstart, other)
    # The browser is still a known one.
    assert set(cookies(signed_in)) == {"postern-device"}


def test_renewing(signed_in):
    before = cookies(signed_in)["postern-access"]["value"]
    find(signed_in, "#refresh").click()
    wait_for(signed_in, "#note", "new tokens")
    wait_for(signed_in, "#renewed", "Renewed")
    assert cookies(signed_in)["postern-access"]["value"] != before


def test_tabs_go_along(signed_in, quickstart):
    """What is done in one tab is seen in the other."""
    env = quickstart.env()
    first = signed_in.current_window_handle
    signed_in.switch_to.new_window("tab")
    second = signed_in.current_window_handle
    try:
        signed_in.get(env["BASE_URL"] + "/")
        wait_for(signed_in, "#who")
        find(signed_in, "#sign-out").click()
        wait_for(signed_in, "#form")
        signed_in.switch_to.window(first)
        wait_for(signed_in, "#form")
        assert "signed out" in find(signed_in, "#goodbye").text
        type_and_submit(signed_in, env["EMAIL"], env["PASSWORD"])
        wait_for(signed_in, "#who")
        signed_in.switch_to.window(second)
        wait_for(signed_in, "#who", env["EMAIL"])
    finally:
        signed_in.switch_to.window(second)
        signed_in.close()
        signed_in.switch_to.window(first)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_a_person_sees_can_be_read(signed_in, scheme):
    signed_in.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    try:
        find(signed_in, "#refresh").click()
        wait_for(signed_in, "#note", "new tokens")
        for summary in signed_in.find_elements(By.TAG_NAME, "summary"):
            summary.click()
        poor = signed_in.execute_script(CONTRAST)
        assert not poor, json.dumps(poor, indent=1)
    finally:
        signed_in.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                  {"features": []})


def test_a_service_that_goes_away(signed_in):
    """The person stays signed in, and is told."""
    signed_in.execute_script(
        "window.fetch = () => Promise.reject(new TypeError('no'))")
    find(signed_in, "#refresh").click()
    wait_for(signed_in, "#note", "cannot be reached")
    assert find(signed_in, "#who").is_displayed()
