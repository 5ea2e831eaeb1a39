"""What a browser would send of a form: fields, defaults, lists, boxes, buttons, files and encodings."""

from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.reason import Reason
from probes.form.filling import Outgoing, chosen_form, filled, multipart, urlencoded
from probes.form.html import Form, Page
from probes.form.settings import Button, Encoding, FormChoice
from probes.message.compose import AttachedFile
from probes.reasons import Failure

URL = "https://support.acme.test/help/form?lang=en"


def page(body: str, *, charset: str | None = None) -> Page:
    return Page(f"<html><body>{body}</body></html>".encode(charset or "utf-8"), url=URL, charset=charset)


def form(inside: str, attributes: str = 'method="post" action="/send"') -> Form:
    return page(f"<form {attributes}>{inside}</form>").forms[0]


def pairs(post: Outgoing) -> list[tuple[str, str]]:
    assert post.content is not None
    return parse_qsl(post.content.decode(), keep_blank_values=True, strict_parsing=True)


def failure(what: object, **values: str) -> tuple[Reason, str]:
    assert isinstance(what, Form)
    with pytest.raises(Failure) as caught:
        filled(what, values)
    return caught.value.fault.reason, caught.value.fault.detail


def test_hidden_fields_and_defaults__are_sent_as_the_page_has_them__in_its_order() -> None:
    found = form(
        "<input type=hidden name=csrf value=x><input name=title value=old><textarea name=note>\nkept</textarea>"
    )

    post = filled(found, {"title": "new"})

    assert pairs(post) == [("csrf", "x"), ("title", "new"), ("note", "kept")]
    assert (post.method, post.target) == ("POST", "https://support.acme.test/send")


def test_line_breaks__are_sent_as_browsers_send_them() -> None:
    post = filled(form("<textarea name=body></textarea>"), {"body": "one\ntwo\r\nthree\rfour"})

    assert pairs(post) == [("body", "one\r\ntwo\r\nthree\r\nfour")]


def test_disabled_fields_files_and_buttons_that_are_not_pressed__are_not_sent() -> None:
    inside = (
        "<input name=a value=1><input name=b value=2 disabled><input type=file name=c>"
        "<fieldset disabled><legend><input name=d value=4></legend><input name=e value=5></fieldset>"
        "<button name=f value=6>Send</button><button name=g value=7>Send and close</button><input type=reset name=h>"
    )

    assert pairs(filled(form(inside), {})) == [("a", "1"), ("d", "4"), ("f", "6")]


def test_button__is_the_one_that_is_named() -> None:
    found = form(
        "<input name=a value=1><button name=do value=draft>Draft</button>"
        "<button name=do value=send formaction=/now formmethod=post formenctype=multipart/form-data>Send</button>"
    )

    post = filled(found, {}, button=Button("do", "send"))

    assert post.target == "https://support.acme.test/now"
    assert b'name="do"\r\n\r\nsend\r\n' in (post.content or b"")


def test_picture_as_button__sends_where_it_was_clicked() -> None:
    assert pairs(filled(form("<input type=image name=go>"), {})) == [("go.x", "0"), ("go.y", "0")]


@pytest.mark.parametrize(
    ("given_", "sent"),
    [("normal", "2"), ("2", "2"), (None, "1")],
    ids=["by label", "by value", "not given: what is selected"],
)
def test_list__sends_the_value_of_the_option(given_: str | None, sent: str) -> None:
    found = form(
        "<select name=p><option value=0 disabled>choose<option value=1 selected>low<option value=2> normal </select>"
    )

    assert pairs(filled(found, {"p": given_} if given_ else {})) == [("p", sent)]


def test_list_of_several__sends_all_that_are_selected() -> None:
    found = form("<select name=p multiple><option selected>a<option>b<option selected>c</select>")

    assert pairs(filled(found, {})) == [("p", "a"), ("p", "c")]


@pytest.mark.parametrize(
    ("given_", "sent"), [("on", [("ok", "yes")]), ("yes", [("ok", "yes")]), ("off", []), (None, [])]
)
def test_box__is_ticked_by_on_or_by_its_value(given_: str | None, sent: list[tuple[str, str]]) -> None:
    found = form("<input type=checkbox name=ok value=yes>")

    assert pairs(filled(found, {"ok": given_} if given_ else {})) == sent if sent else True
    assert (filled(found, {"ok": given_} if given_ else {}).content or b"") == (b"ok=yes" if sent else b"")


def test_choice__is_the_one_of_the_value() -> None:
    found = form("<input type=radio name=k value=a checked><input type=radio name=k value=b>")

    assert pairs(filled(found, {"k": "b"})) == [("k", "b")]
    assert failure(found, k="c")[0] is Reason.FORM_CHANGED


@pytest.mark.parametrize(
    ("inside", "reason", "words"),
    [
        ("<input name=subject>", Reason.FORM_CHANGED, "no field title; it has subject"),
        ("<input name=title disabled>", Reason.FORM_DISABLED, "title is disabled"),
        ("<select name=title><option>a</select>", Reason.FORM_CHANGED, "no such option"),
        ("<input name=title><button disabled>Send</button>", Reason.FORM_DISABLED, "button is disabled"),
    ],
    ids=["renamed", "disabled", "option gone", "button disabled"],
)
def test_what_can_not_be_filled__is_named(inside: str, reason: Reason, words: str) -> None:
    found, detail = failure(form(inside), title="x")

    assert found is reason
    assert words in detail


def test_form_by_get__puts_the_fields_into_the_address() -> None:
    post = filled(form("<input name=q>", "action='/find?old=1#top'"), {"q": "a b"})

    assert (post.method, post.target, post.content) == ("GET", "https://support.acme.test/find?q=a+b", None)


def test_form_without_action__is_sent_to_its_page() -> None:
    assert filled(form("<input name=a>", "method=post"), {}).target == URL


def test_base__is_what_relative_addresses_are_relative_to() -> None:
    found = Page(
        b"<html><head><base href='/deep/er/'></head><form method=post action=send><input name=a></form></html>",
        url=URL,
        charset=None,
    )

    assert found.forms[0].action == "https://support.acme.test/deep/er/send"


def test_attachment__goes_as_multipart__with_name_and_content() -> None:
    found = form("<input name=a><input type=file name=doc>", "method=post enctype=multipart/form-data")

    post = filled(found, {"a": "é"}, upload="doc", attachment=AttachedFile("t.txt", b"\x00\xff"))

    assert post.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    content = post.content or b""
    assert 'name="a"\r\n\r\né\r\n'.encode() in content
    assert b'name="doc"; filename="t.txt"\r\nContent-Type: text/plain\r\n\r\n\x00\xff\r\n' in content


def test_attachment__for_a_form_that_takes_no_files__is_a_changed_form() -> None:
    found = form("<input type=file name=doc>")

    with pytest.raises(Failure, match="no longer takes files"):
        filled(found, {}, upload="doc", attachment=AttachedFile("t.txt", b"x"))
    assert filled(
        found, {}, upload="doc", attachment=AttachedFile("t.txt", b"x"), encoding=Encoding.MULTIPART
    ).content


def test_page_in_latin_1__gets_its_fields_in_latin_1__and_references_for_the_rest() -> None:
    found = page("<form method=post action=/s><input name=a></form>", charset="iso-8859-1").forms[0]

    assert filled(found, {"a": "é€"}).content == b"a=%E9%26%238364%3B"


@pytest.mark.parametrize(
    ("choice", "action"),
    [
        (FormChoice(form_id="two"), "/2"),
        (FormChoice(name="three"), "/3"),
        (FormChoice(action="/2"), "/2"),
        (FormChoice(index=-1), "/3"),
    ],
    ids=["id", "name", "action", "index"],
)
def test_form__is_chosen_by_what_is_given(choice: FormChoice, action: str) -> None:
    found = page(
        "<form method=post action=/1><input name=a></form><form id=two method=post action=/2><input name=a></form>"
        "<form name=three method=post action=/3><input name=a></form>"
    )

    assert chosen_form(found, choice, ["a"]).written_action == action


def test_forms_that_differ__must_be_told_apart() -> None:
    found = page(
        "<form method=post action=/1><input name=a></form><form method=post action=/2><input name=a></form>"
    )

    with pytest.raises(Failure, match="differ in where they go"):
        chosen_form(found, FormChoice(), ["a"])


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40
)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_fields__come_back_as_they_were(fields: list[tuple[str, str]]) -> None:
    assert pairs(urlencoded("/", fields)) == fields if fields else True
    assert (
        urlencoded("/", fields).content
        == "&".join(
            f"{quote(a, safe='').replace('%20', '+').replace('~', '~')}={quote(b, safe='').replace('%20', '+')}"
            for a, b in fields
        ).encode()
    )


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), TEXT))
def test_value_of_any_text__is_sent_whole_and_changes_no_other_field(values: dict[str, str]) -> None:
    found = form("<input name=a value=1><textarea name=b>2</textarea><input type=hidden name=c value=3>")

    sent = dict(pairs(filled(found, values)))

    expected = {"a": "1", "b": "2", "c": "3"} | values
    assert {name: value.replace("\r\n", "\n") for name, value in sent.items()} == {
        name: value.replace("\r\n", "\n").replace("\r", "\n") for name, value in expected.items()
    }


@given(
    st.binary(max_size=400),
    st.sampled_from([None, "utf-8", "latin-1", "utf-16", "idna", "base64", "no-such"]),
)
def test_any_bytes__are_a_page(content: bytes, charset: str | None) -> None:
    found = Page(content, url=URL, charset=charset)

    assert isinstance(found.text, str)
    assert all(isinstance(one.action, str) for one in found.forms)


@given(st.binary(max_size=100))
def test_file_of_any_bytes__stands_whole_in_the_body(content: bytes) -> None:
    post = multipart("/", [("a", "1")], [("f", AttachedFile("x.bin", content))])

    assert b"\r\n\r\n" + content + b"\r\n--" in (post.content or b"")


def test_a_page_of_very_many_forms__is_read_in_one_pass() -> None:
    count = 4000
    many = page("".join(f"<form id=f{number}><input name=a{number}></form>" for number in range(count)))

    assert [form.names for form in many.forms] == [{f"a{number}"} for number in range(count)]


def test_a_field_that_names_a_form__is_that_forms_alone__wherever_it_stands() -> None:
    two = page(
        "<input form=second name=above><form id=first><input name=a><input form=second name=lent>"
        "<input form=none name=nobody></form><form id=second><input name=b></form>"
    )

    assert [form.names for form in two.forms] == [{"a"}, {"above", "lent", "b"}]


@pytest.mark.parametrize(("given", "sent"), [("on", ["0", "1"]), ("1", ["0", "1"]), ("off", ["0"])])
def test_hidden_field_of_a_boxs_name__stays_as_the_page_has_it(given: str, sent: list[str]) -> None:
    both = form("<input type=hidden name=agree value=0><input type=checkbox name=agree value=1>")

    assert pairs(filled(both, {"agree": given})) == [("agree", one) for one in sent]


def test_box_without_the_configured_value__has_changed() -> None:
    box = form("<input type=checkbox name=topic value=billing>")

    assert failure(box, topic="shipping") == (
        Reason.FORM_CHANGED,
        "no box of topic has the value that is configured",
    )
