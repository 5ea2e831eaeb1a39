"""The page of the canary mail shows what the code composes."""

from pathlib import Path

from tests.docs.mail_page import sample
from tests.docs.pages import text_of


def test_page__shows_the_mail_as_it_is_composed() -> None:
    assert f"```text\n{sample()}```" in text_of(Path("docs/mail.md"))


def test_page__explains_every_header_field_of_the_mail() -> None:
    header = sample().partition("\n\n")[0]
    names = [line.partition(":")[0] for line in header.splitlines() if not line.startswith(" ")]
    table = text_of(Path("docs/mail.md")).partition("## Each header field")[2].partition("## The token")[0]

    assert [name for name in names if f"`{name}`" not in table] == []
