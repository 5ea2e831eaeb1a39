"""Each thing that a recorder writes: what step it becomes, or what is said of it."""

import pytest

from runners.portal_import.imported import Imported
from runners.portal_import.recording import import_recording
from runners.portal_import.writing import path_data
from tests.unit.runners.portal_import.recordings import ENDING, recorded


def imported(*lines: str) -> Imported:
    return import_recording(recorded(*lines))


def steps(*lines: str) -> list[object]:
    """The steps before the submit."""
    data = path_data(imported('page.get_by_label("Subject").fill("x")', *lines, *ENDING))["steps"]
    assert isinstance(data, list)
    assert data[0] == {"fill": {"label": "Subject", "with": "{{ subject }}"}}
    assert data[-2:] == [{"submit": {"role": "button", "name": "Send"}}, {"confirm": {"text": "Thank you"}}]
    return data[1:-2]


def notes(*lines: str) -> list[str]:
    found = imported('page.get_by_label("Subject").fill("x")', *lines, *ENDING).notes
    return [f"{one.line} {one.code}: {one.why}" for one in found]


@pytest.mark.parametrize(
    ("locator", "ours"),
    [
        ('get_by_role("link", name="Help")', {"role": "link", "name": "Help"}),
        ('get_by_role("link", name="Help", exact=True)', {"role": "link", "name": "Help", "exact": True}),
        ('get_by_role("link", name=re.compile(r"^Help \\d+$"))', {"role": "link", "name": r"/^Help \d+$/"}),
        ('get_by_role("link", name=re.compile("help", re.IGNORECASE))', {"role": "link", "name": "help"}),
        ('get_by_label("I agree")', {"label": "I agree"}),
        ('get_by_placeholder("Search")', {"placeholder": "Search"}),
        ('get_by_text("New")', {"text": "New"}),
        ('get_by_text("/new/")', {"text": "//new//"}),
        ('get_by_test_id("new")', {"test_id": "new"}),
        ('get_by_alt_text("Logo")', {"alt": "Logo"}),
        ('get_by_title("New")', {"title": "New"}),
        ('locator("#new")', {"css": "#new"}),
        ('locator("css=#new")', {"css": "#new"}),
        ('locator("id=new")', {"css": '[id="new"]'}),
        ('locator("text=New")', {"text": "New"}),
        ('locator("form").locator("button.new")', {"css": "form button.new"}),
        ('locator("li").first', {"css": "li", "nth": 0}),
        ('locator("li").last', {"css": "li", "nth": -1}),
        ('locator("li").nth(2)', {"css": "li", "nth": 2}),
    ],
)
def test_locator__becomes_ours(locator: str, ours: dict[str, object]) -> None:
    assert steps(f"page.{locator}.click()") == [{"click": ours}]


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ('page.goto("https://support.acme.example/new?a=1#top")', {"go": "/new?a=1#top"}),
        ('page.goto("https://sso.acme.example/")', {"go": "https://sso.acme.example/"}),
        ('page.get_by_label("Product").fill("Plan B")', {"fill": {"label": "Product", "with": "Plan B"}}),
        ('page.get_by_label("Product").type("B")', {"fill": {"label": "Product", "with": "B"}}),
        ('page.fill("#product", "B")', {"fill": {"css": "#product", "with": "B"}}),
        ('page.get_by_label("Host name").press("ArrowDown")', {"press": {"key": "ArrowDown", "label": "Host name"}}),
        ('page.keyboard.press("Escape")', {"press": "Escape"}),
        ('page.get_by_label("I agree").check()', {"check": {"label": "I agree"}}),
        ('page.get_by_label("News").uncheck()', {"uncheck": {"label": "News"}}),
        ('page.get_by_label("News").set_checked(False)', {"uncheck": {"label": "News"}}),
        ('page.get_by_label("Kind").select_option("3")', {"select": {"label": "Kind", "value": "3"}}),
        ('page.get_by_label("Kind").select_option(["3"])', {"select": {"label": "Kind", "value": "3"}}),
        ('page.get_by_label("Kind").select_option(label="A")', {"select": {"label": "Kind", "option": "A"}}),
        ('page.get_by_label("File").set_input_files("dir/a.png")', {"upload": {"label": "File"}}),
        ('page.wait_for_url("**/new")', {"wait": {"url": "/.*/new/"}}),
        ('page.get_by_text("Loading").wait_for(state="hidden")', {"wait": {"gone": {"text": "Loading"}}}),
        ('expect(page.get_by_text("Ready")).to_be_visible()', {"wait": {"text": "Ready"}}),
        ('expect(page.get_by_text("Loading")).not_to_be_visible()', {"wait": {"gone": {"text": "Loading"}}}),
        ('expect(page.get_by_role("heading")).to_contain_text("New")', {"wait": {"role": "heading", "name": "New"}}),
        ('expect(page.locator("#a")).to_contain_text("New")', {"wait": {"text": "New", "nth": 0}}),
        ('expect(page).to_have_url("https://support.acme.example/new/12?x=1")', {"wait": {"url": r"//new/\d+/"}}),
    ],
)  # fmt: skip
def test_line__becomes_a_step(line: str, step: dict[str, object]) -> None:
    assert steps(line, 'page.get_by_role("checkbox", name="Last").check()')[:-1] == [step]


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ('page.get_by_text("New").dblclick()', "8 page.get_by_text('New').dblclick(): a double click has no step"),
        ('page.get_by_text("New").click(button="right")', "8 page.get_by_text('New').click(…): a click with another button"),
        ('page.get_by_text("New").hover()', "8 page.get_by_text('New').hover(): hovering has no step"),
        ('page.locator("//a")', ""),
        ('page.locator("//a").click()', "8 page.locator('//a').click(): this selector is not CSS"),
        ('page.locator("div").filter(has_text="New").click()',
         "8 page.locator('div').filter(has_text='New').click(): a locator that is narrowed by filter has no word here"),
        ('page.get_by_role("row", name="A").get_by_role("button").click()',
         "8 page.get_by_role('row', name='A').get_by_role('button').click(): an element within another can't be named by two locators"),
        ('page.once("dialog", lambda dialog: dialog.dismiss())', "8 page.once(…): an answer to a dialog of the page"),
        ('page.get_by_label("Kind").select_option(["1", "2"])',
         "8 page.get_by_label('Kind').select_option(…): several options, or none"),
        ("page.wait_for_timeout(3000)", "8 page.wait_for_timeout(…): a fixed wait"),
        ('page.evaluate("document.title")', "8 page.evaluate(…): evaluate has no step"),
        ('for one in range(3): page.get_by_text("New").click()',
         "8 a loop: steps have neither loops, conditions nor assertions of Python's"),
        ('expect(page.locator("#a")).to_match_aria_snapshot("- text: A")',
         "8 expect(page.locator('#a')).to_match_aria_snapshot(…): to_match_aria_snapshot has no step"),
        ('expect(page).to_have_title("New")', "8 expect(page).to_have_title(…): to_have_title of the page has no step"),
        ('page.get_by_label("Product").fill(product())',
         "8 fill {label: Product}: what is typed is only known when the file is run"),
        ("page.context.add_cookies([])", "8 page.context.add_cookies(…): context has no step"),
    ],
)  # fmt: skip
def test_line_that_steps_cannot_say__is_told_with_its_line_and_left_out(line: str, note: str) -> None:
    assert steps(line) == []
    assert notes(line) == ([note] if note else [])


def test_every_note__has_a_remedy() -> None:
    found = imported("page.mouse.move(1, 2)", 'page.locator("..").click()', 'page.goto("about:blank")').notes

    assert len(found) >= 4
    assert all(one.remedy.endswith(".") for one in found)


def test_frames__are_entered_and_left_where_the_recording_changes_between_them() -> None:
    assert steps(
        'page.locator("#a").content_frame.get_by_label("Kind").check()',
        'page.locator("#a").content_frame.get_by_title("b").content_frame.get_by_label("Sort").check()',
        'page.frame_locator("#c").get_by_label("Other").check()',
        'page.get_by_label("Last").check()',
    ) == [
        {"frame": {"css": "#a"}},
        {"check": {"label": "Kind"}},
        {"frame": {"title": "b"}},
        {"check": {"label": "Sort"}},
        {"frame": "main"},
        {"frame": {"css": "#c"}},
        {"check": {"label": "Other"}},
        {"frame": "main"},
        {"check": {"label": "Last"}},
    ]


def test_clicks_and_tabs_that_only_move_the_focus__are_left_out() -> None:
    assert steps(
        'page.get_by_label("Product").click()',
        'page.get_by_label("Product").fill("B")',
        'page.get_by_label("Product").press("Tab")',
        'page.get_by_label("Product").press("CapsLock")',
    ) == [{"fill": {"label": "Product", "with": "B"}}]


POPUP = (
    "with page.expect_popup() as page1_info:",
    '    page.get_by_role("link", name="Terms").click()',
    "page1 = page1_info.value",
)


def test_window_that_a_click_opens__is_where_the_journey_goes_on() -> None:
    lines = (*POPUP, 'page1.get_by_label("I agree").check()')

    found = import_recording(
        recorded(
            *lines,
            'page1.get_by_label("Subject").fill("x")',
            *(one.replace("page.", "page1.") for one in ENDING),
        )
    )

    assert path_data(found)["steps"] == [
        {"click": {"role": "link", "name": "Terms"}},
        {"check": {"label": "I agree"}},
        {"fill": {"label": "Subject", "with": "{{ subject }}"}},
        {"submit": {"role": "button", "name": "Send"}},
        {"confirm": {"text": "Thank you"}},
    ]
    assert found.notes == []


def test_step_back_in_the_window_before__is_told() -> None:
    assert steps(*POPUP, "page1.close()") == [{"click": {"role": "link", "name": "Terms"}}]
    (note,) = notes(*POPUP, "page1.close()")
    assert note.startswith(
        "12 page.get_by_role('button', name='Send').click(): this is in the window before, "
    )


def test_second_window_that_no_click_opens__is_told_and_left_out() -> None:
    lines = (
        "page1 = context.new_page()",
        "page2 = context.new_page()",
        'page2.get_by_text("Accept").click()',
    )

    assert steps(*lines) == []
    assert [one.partition(":")[0] for one in notes(*lines)] == ["10 page2.get_by_text('Accept').click()"]


def test_frame__after_an_address_is_opened__is_entered_again() -> None:
    inside = 'page.locator("#a").content_frame.get_by_label("Kind").check()'

    assert steps(
        inside, 'page.goto("https://support.acme.example/b")', inside, 'page.get_by_label("Last").check()'
    ) == [
        {"frame": {"css": "#a"}},
        {"check": {"label": "Kind"}},
        {"go": "/b"},
        {"frame": {"css": "#a"}},
        {"check": {"label": "Kind"}},
        {"frame": "main"},
        {"check": {"label": "Last"}},
    ]


def test_cookie_banner__stands_under_dismiss() -> None:
    path = path_data(imported('page.get_by_role("button", name="Accept all").click()', *ENDING))

    assert path["dismiss"] == [{"role": "button", "name": "Accept all"}]
    assert path["steps"] == [
        {"submit": {"role": "button", "name": "Send"}},
        {"confirm": {"text": "Thank you"}},
    ]


def test_timeout_of_a_line__is_the_steps_own() -> None:
    assert steps('page.get_by_text("New").click(timeout=2500)') == [
        {"click": {"text": "New"}, "timeout": "2500ms"}
    ]


def test_fields_that_are_called_so__take_the_words_of_the_canary() -> None:
    assert steps(
        'page.locator("textarea[name=\\"message_body\\"]").fill("x")',
        'page.get_by_label("E-Mail").fill("zoe@probe.example")',
        'page.get_by_placeholder("Your name").fill("Zoe")',
        'page.get_by_label("Company name").fill("ACME")',
        'page.get_by_label("User name").fill("zoe")',
    ) == [
        {"fill": {"css": 'textarea[name="message_body"]', "with": "{{ body }}"}},
        {"fill": {"label": "E-Mail", "with": "{{ sender }}"}},
        {"fill": {"placeholder": "Your name", "with": "{{ name }}"}},
        {"fill": {"label": "Company name", "with": "ACME"}},
        {"fill": {"label": "User name", "with": "zoe"}},
    ]


def test_what_was_typed__is_not_looked_for_later() -> None:
    path = path_data(
        imported(
            'page.get_by_label("Subject").fill("Printer burns")',
            'page.get_by_role("button", name="Send").click()',
            'expect(page.get_by_role("heading")).to_contain_text("#12 Printer burns (new)")',
        )
    )

    assert path["steps"] == [
        {"fill": {"label": "Subject", "with": "{{ subject }}"}},
        {"submit": {"role": "button", "name": "Send"}},
        {"confirm": {"text": r"/#(?P<ticket>\d+) .* \(new\)/"}},
    ]


def test_options_of_the_browser__become_keys_of_the_path_or_notes() -> None:
    text = recorded(*ENDING).decode() + (
        '\n@pytest.fixture(scope="session")\n'
        "def browser_context_args(browser_context_args, playwright):\n"
        '    return {"locale": "de-DE", "timezone_id": "Europe/Berlin", "viewport": {"width": 800, "height": 600},\n'
        '            "http_credentials": {"username": "a", "password": "hunter2"}, "color_scheme": "dark"}\n'
    )
    path = import_recording(text.encode())

    data = path_data(path)
    assert (data["locale"], data["time_zone"], data["viewport"]) == ("de-DE", "Europe/Berlin", "800x600")
    assert [(one.code, one.why) for one in path.notes if one.code] == [
        ("http_credentials=…", "a password for HTTP authentication"),
        ("color_scheme=…", "a colour scheme has no key"),
    ]


def test_helper_functions_of_the_file__are_followed_where_they_are_called() -> None:
    text = (
        'SUBJECT = "Printer"\n'
        "def fill(window, text):\n"
        '    window.get_by_label("Subject").fill(text)\n'
        "def test_form(page):\n"
        '    page.goto("https://support.acme.example/")\n'
        "    fill(page, SUBJECT)\n"
        '    send = page.get_by_role("button", name="Send")\n'
        "    send.click()\n"
    )

    assert path_data(import_recording(text.encode()))["steps"] == [
        {"fill": {"label": "Subject", "with": "{{ subject }}"}},
        {"submit": {"role": "button", "name": "Send"}},
        {"confirm": None},
    ]


def test_second_journey_of_a_file__is_told() -> None:
    text = (
        recorded(*ENDING).decode() + '\ndef test_other(page):\n    page.goto("https://other.acme.example/")\n'
    )

    path = import_recording(text.encode())

    assert path.url == "https://support.acme.example/"
    assert ("def test_other", "a second journey stands in this file") in {
        (one.code, one.why) for one in path.notes
    }
