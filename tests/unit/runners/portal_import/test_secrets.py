"""A password in a recording shows nowhere: not in the path, not in a note, not in a representation."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.portal_import.recording import import_recording
from runners.portal_import.writing import path_data, path_text
from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.portal_import.recordings import ENDING, recorded

LOG_IN = (
    'page.get_by_label("User name").fill("canary")',
    'page.get_by_label("Password").fill({password!r})',
    'page.get_by_role("button", name="Log in").click()',
)
FORM = ('page.get_by_label("Subject").fill("x")', *ENDING)
MORE = (
    'page.get_by_label("Product").fill({password!r})',
    'page.get_by_label("Product").fill("it is " + {password!r})',
    "page.get_by_text({password!r}).dblclick()",
    'page.locator("a").filter(has_text={password!r}).click()',
    "page.get_by_text({password!r}).click()",
    "page.evaluate({password!r})",
    'page.get_by_label("Kind").select_option({password!r})',
    "expect(page.get_by_text({password!r})).to_be_visible()",
    "token = {password!r}",
    'page.goto("https://support.acme.example/x?pw=" + {password!r})',
)


def source(password: str, *lines: str) -> bytes:
    return recorded(*(one.format(password=password) for one in (*LOG_IN, *lines, *FORM)))


@given(
    st.text(
        "abcdefghijklmnopqrstuvwxyzABCDEFXYZ0123456789!§$%&/()=?+*#'\"\\ -_é漢", min_size=6, max_size=20
    ).map("Zq9".__add__)
)
def test_password__wherever_it_stands_in_the_file__shows_nowhere(password: str) -> None:
    path = import_recording(source(password, *MORE))

    text = path_text(path, name="portal", source="recorded.py")
    shown = "".join([text, str(path_data(path)), *map(str, path.guesses), repr(path)])
    assert password not in shown
    assert "PORTAL_PASSWORD" in shown


def test_password__shows_in_no_output_of_the_command(run: Run) -> None:
    Path("recorded.py").write_bytes(source("Zq9 correct horse", *MORE))

    plain, as_json = run("portal", "import", "recorded.py"), run("portal", "import", "recorded.py", "--json")

    assert (plain.status, as_json.status) == (0, 0)
    assert "correct horse" not in plain.out + plain.err + as_json.out + as_json.err


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ('get_by_label("Password")', {"env": "PORTAL_PASSWORD"}),
        ('get_by_label("Passwort")', {"env": "PORTAL_PASSWORD"}),
        ('locator("input[type=\\"password\\"]")', {"env": "PORTAL_PASSWORD"}),
        ('locator("#userPassword")', {"env": "PORTAL_PASSWORD"}),
        ('get_by_placeholder("API key")', {"env": "PORTAL_PASSWORD"}),
        ('get_by_label("Verification code")', {"totp": {"env": "PORTAL_TOTP"}}),
        ('get_by_placeholder("One-time code")', {"totp": {"env": "PORTAL_TOTP"}}),
    ],
)
def test_field_that_is_called_so__takes_a_secret(field: str, value: object) -> None:
    login = path_data(import_recording(recorded(f'page.{field}.fill("123456")', LOG_IN[2], *FORM)))["login"]

    assert isinstance(login, list)
    assert login[0]["fill"]["with"] == value


def test_field_without_a_name__between_user_name_and_log_in__is_taken_for_the_password() -> None:
    login = path_data(
        import_recording(recorded(LOG_IN[0], 'page.locator("#f2").fill("hunter2-x")', LOG_IN[2], *FORM))
    )["login"]

    assert isinstance(login, list)
    assert login[1] == {"fill": {"css": "#f2", "with": {"env": "PORTAL_PASSWORD"}}}


def test_two_passwords__have_two_variables() -> None:
    path = import_recording(
        recorded(
            'page.get_by_label("Password").fill("one-one")',
            'page.get_by_label("PIN").fill("two-two")',
            LOG_IN[2],
            *FORM,
        )
    )

    text = path_text(path, name="portal", source="recorded.py")
    assert "{env: PORTAL_PASSWORD}" in text
    assert "{env: PORTAL_PASSWORD_2}" in text


def test_environment_variable_of_the_recording__is_the_secrets_own() -> None:
    path = import_recording(
        recorded('page.get_by_label("Password").fill(os.environ["DESK_PW"])', LOG_IN[2], *FORM)
    )

    assert path_data(path)["login"][0] == {"fill": {"label": "Password", "with": {"env": "DESK_PW"}}}  # type: ignore[index] # a list


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://zoe:hunter2@support.acme.example/a", "https://support.acme.example/a"),
        ("https://support.acme.example/a?session=hunter2&b=1", "https://support.acme.example/a?b=1"),
        ("https://support.acme.example/a?b=1&access_token=hunter2", "https://support.acme.example/a?b=1"),
    ],
)
def test_address_with_a_secret__loses_it_and_is_told(address: str, url: str) -> None:
    path = import_recording(f'page.goto("{address}")\n{FORM[0]}\n{FORM[1]}\n{FORM[2]}\n'.encode())

    assert path.url == url
    assert any("left out here" in one.why for one in path.notes)
    assert "hunter2" not in str(path.notes)
