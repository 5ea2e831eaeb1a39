"""What Chromium's and Playwright's own words mean: as Chromium with Playwright 1.65 said it."""

import pytest
from playwright.async_api import Error, TimeoutError  # noqa: A004 -- Playwright's own name

from canary.reason import CAUSES, Reason, Side
from probes.portal.failures import NET_REASONS, fault_of, first_line, is_gone, is_on_its_way, net_reason

_WAITED = 'Locator.click: Timeout 700ms exceeded.\nCall log:\n  - waiting for locator("#b")\n'
_DISABLED = (
    _WAITED
    + '    - locator resolved to <button id="b" disabled>Off</button>\n  - attempting click action\n    2 x waiting for element to be visible, enabled and stable\n      - element is not enabled\n    - retrying click action\n'
)
_COVERED = (
    _WAITED
    + '  - attempting click action\n    - element is visible, enabled and stable\n    - <div id="o">Banner</div> intercepts pointer events\n  - retrying click action\n'
)
_SUBTREE = _WAITED + '    - <p>Banner</p> from <div id="o">…</div> subtree intercepts pointer events\n'


@pytest.mark.parametrize(
    ("message", "reason", "says"),
    [
        (_DISABLED, Reason.FORM_DISABLED, "disabled"),
        ("Locator.fill: Timeout 700ms exceeded.\n      - element is not editable\n", Reason.FORM_DISABLED, "disabled"),
        (_COVERED, Reason.ELEMENT_COVERED, '<div id="o">Banner</div>'),
        (_SUBTREE, Reason.ELEMENT_COVERED, "<p>Banner</p>"),
        ("Locator.select_option: Timeout 700ms exceeded.\n      - did not find some options\n", Reason.FORM_CHANGED, "no such option"),
    ],
)  # fmt: skip
def test_wait_in_vain__of_which_the_log_tells_the_cause__is_that(
    message: str, reason: Reason, says: str
) -> None:
    fault = fault_of(TimeoutError(message))

    assert fault is not None
    assert fault.reason is reason
    assert says in fault.detail


@pytest.mark.parametrize(
    "message",
    [
        _COVERED.replace(
            "Banner", "Support has been closed today. Target page, context or browser has been closed"
        ),
        _WAITED + "    - locator resolved to <p>Browser closed</p>\n",
        'Locator.click: Error: strict mode violation: get_by_text("Browser closed") resolved to 2 elements',
    ],
)
def test_words_of_the_page__are_not_taken_for_the_browser_s_own(message: str) -> None:
    assert not is_gone(TimeoutError(message))


def test_box_that_a_click_does_not_tick__is_the_portal_s_fault() -> None:
    said = "Locator.set_checked: Error: Clicking the checkbox did not change its state\nCall log:\n"

    fault = fault_of(Error(said))

    assert fault is not None
    assert fault.reason is Reason.FORM_DISABLED


def test_wait_in_vain__of_which_the_log_tells_nothing__is_for_the_page_to_tell() -> None:
    assert fault_of(TimeoutError(_WAITED)) is None


@pytest.mark.parametrize(
    ("message", "reason", "says"),
    [
        ("Page.goto: net::ERR_CONNECTION_REFUSED at http://127.0.0.1:1/\nCall log:\n", Reason.REFUSED, "ERR_CONNECTION_REFUSED"),
        ("Page.goto: net::ERR_CERT_AUTHORITY_INVALID at https://a.example/", Reason.CERTIFICATE_INVALID, "ERR_CERT_AUTHORITY_INVALID"),
        ("Page.goto: net::ERR_SOMETHING_NEW at https://a.example/", Reason.PAGE_ERROR, "ERR_SOMETHING_NEW"),
        ("Page.goto: Download is starting\nCall log:\n", Reason.PAGE_ERROR, "a file"),
        ("Locator.fill: Error: Element is not an <input>, <textarea>, <select> or [contenteditable] and does not have a role allowing [aria-readonly]\nCall log:\n", Reason.FORM_CHANGED, "another kind"),
        ('Locator.fill: Error: Input of type "checkbox" cannot be filled\nCall log:\n', Reason.FORM_CHANGED, "another kind"),
        ("Locator.select_option: Error: Element is not a <select> element\nCall log:\n", Reason.FORM_CHANGED, "another kind"),
        ("Locator.set_checked: Error: Not a checkbox or radio button\nCall log:\n", Reason.FORM_CHANGED, "another kind"),
        ("Locator.set_input_files: Error: Node is not an HTMLInputElement\nCall log:\n", Reason.FORM_CHANGED, "another kind"),
        ('Locator.click: Error: strict mode violation: get_by_role("button", name="Twice") resolved to 2 elements:\n    1) <button>', Reason.FORM_CHANGED, "2 elements match"),
        ('Locator.click: Unexpected token "#" while parsing css selector "##". Did you mean to CSS.escape it?\nCall log:\n', Reason.JOURNEY_INVALID, "Unexpected token"),
        ('Keyboard.press: Unknown key: "Nokey"', Reason.JOURNEY_INVALID, "Unknown key"),
        ("Locator.click: Target page, context or browser has been closed\nCall log:\n", Reason.BROWSER_CRASHED, "died"),
        ("Locator.click: Target crashed \nCall log:\n", Reason.BROWSER_CRASHED, "died"),
    ],
)  # fmt: skip
def test_call_that_failed_by_itself__is_its_cause(message: str, reason: Reason, says: str) -> None:
    fault = fault_of(Error(message))

    assert fault is not None
    assert fault.reason is reason
    assert says in fault.detail
    assert fault.is_transient is not CAUSES[reason].is_final


@pytest.mark.parametrize(
    "message",
    [
        "Page.evaluate: Execution context was destroyed, most likely because of a navigation.",
        'Page.goto: Navigation to "http://a.example/" is interrupted by another navigation to "http://b.example/"',
        "Locator.click: Frame was detached",
    ],
)
def test_page_on_its_way_elsewhere__is_no_fault(message: str) -> None:
    assert is_on_its_way(Error(message))
    assert fault_of(Error(message)) is None
    assert not is_gone(Error(message))


@pytest.mark.parametrize("code", sorted(NET_REASONS))
def test_network_error_of_the_table__is_known_with_and_without_its_lead(code: str) -> None:
    assert net_reason(f"net::{code}") is net_reason(code) is NET_REASONS[code]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ERR_CERT_REVOKED", Reason.CERTIFICATE_INVALID),
        ("ERR_CERT_DATE_INVALID", Reason.CERTIFICATE_EXPIRED),
        ("ERR_CERT_COMMON_NAME_INVALID", Reason.CERTIFICATE_WRONG_NAME),
        ("ERR_SSL_PROTOCOL_ERROR", Reason.TLS_FAILED),
        ("ERR_SSL_VERSION_OR_CIPHER_MISMATCH", Reason.TLS_FAILED),
        ("ERR_BAD_SSL_CLIENT_AUTH_CERT", Reason.CREDENTIALS_REJECTED),
        ("ERR_SOMETHING_NEW", None),
    ],
)
def test_network_error_of_a_family__is_the_family_s(code: str, reason: Reason | None) -> None:
    assert net_reason(code) is reason


def test_network_errors_that_are_ours__are_never_the_target_s() -> None:
    ours = {
        "ERR_PROXY_CONNECTION_FAILED",
        "ERR_NETWORK_CHANGED",
        "ERR_INSUFFICIENT_RESOURCES",
        "ERR_INVALID_URL",
    }

    assert all(CAUSES[NET_REASONS[code]].side is Side.PROBER for code in ours)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("Page.goto: net::ERR_X at http://a/\nCall log:", "net::ERR_X at http://a/"),
        ("Locator.fill: Error: Element is not a <select> element\n", "Element is not a <select> element"),
        ("  ", "no words"),
    ],
)
def test_first_line__is_without_the_call(message: str, line: str) -> None:
    assert first_line(message) == line
