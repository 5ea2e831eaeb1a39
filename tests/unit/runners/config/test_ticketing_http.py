"""A ticketing system by configuration alone: what is said of one that can't work, before it is tried."""

from pathlib import Path

import pytest

from canary.observation import Depth
from probes.contracts import View
from probes.ticketing.generic.picking import Seen
from runners.config.document_places import TicketingType
from tests.unit.runners.config.examples import FULL, changed, mistakes, only_mistake, read

DESK = """\
  desk:
    type: http
    url: https://desk.acme.example
    secrets: {key: {env: DESK_TOKEN}}
    auth: {bearer: "{{ secret.key }}"}
    ticket: {id: id, subject: subject, created_at: created, open: {pick: state, not_among: [closed]}}
    find:
      recent:
        get: /tickets
        query: {after: "{{ since | iso }}"}
        page: {number: {param: page}}
        order: newest_first
        rows: tickets
    clean:
      close: [{patch: "/tickets/{{ ticket.id }}", json: {state: closed}}]
"""
BEFORE = '  desk: {type: helpdesk, url: "https://desk.acme.example/", token: {env: DESK_TOKEN}, tag: synthetic, cap: 12/h}\n'
WHOLE = changed(BEFORE, DESK)
SMALL = "sight: [{get: /me, must: id}]"


@pytest.mark.parametrize("window", ["at_most: 2/m", "limit: 1, lasts: 1s"])
def test_window_of_a_few_requests__is_taken_where_a_look_fits_into_it_or_waits_for_it(
    tmp_path: Path, window: str
) -> None:
    desk = DESK.replace("secrets:", f"{SMALL}\n    budget: {{slow: {{{window}}}}}\n    secrets:")

    assert read(tmp_path, changed(BEFORE, desk)).ticketing["desk"].generic is not None


def test_small_system__when_read__becomes_settings(tmp_path: Path) -> None:
    config = read(tmp_path, WHOLE).ticketing["desk"]

    assert config.type is TicketingType.HTTP
    assert config.generic is not None
    (look,) = config.generic.settings.looks
    assert look.depths == set(Depth)
    assert look.view is View.STRONG
    assert look.is_swept
    assert set(config.generic.secrets) == {"key"}


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("rows: tickets", "rows: tickets[", "find.recent.rows.pick", "not JMESPath"),
        ("rows: tickets", "rows: sorted(@)", "find.recent.rows.pick", "has no function sorted"),
        ("since | iso", "sinse | iso", "find.recent.query.after", "there is no sinse here"),
        ("since | iso", "since | isoo", "find.recent.query.after", "there is no filter isoo"),
        ("secret.key", "secret.keys", "auth.bearer", "secret has no keys here"),
        ("{{ ticket.id }}", "{{ ticket.id + 1 }}", "clean.close[0].patch", "a template fills in values"),
        ("{{ ticket.id }}", "{{ ids }}", "clean.close[0].patch", "there is no ids here"),
        ("{{ ticket.id }}", "{{ items }}", "clean.close[0].patch", "there is no items here"),
        ("close: [{", "close: [{item: {a: 1}, ", "clean.close[0].item", "an item is one of a batch"),
        (
            "close: [",
            "tags: {get: /tags}\n      close: [",
            "clean.tags",
            "this tells no tags of a ticket that is read",
        ),
        (
            "get: /tickets\n",
            "get: /tickets\n        post: /x\n",
            "find.recent",
            "one method, not get and post",
        ),
        ("        get: /tickets\n", "", "find.recent", "one method, not none"),
        (
            "page: {number: {param: page}}",
            "page: {number: {}, next: {link: next}}",
            "find.recent.page",
            "in one way",
        ),
        (
            "page: {number: {param: page}}",
            "page: {cursor: {pick: c, into: {}}}",
            "find.recent.page.cursor.into",
            "one place",
        ),
        (
            "page: {number: {param: page}}",
            "page: {number: {ends: short}}",
            "find.recent.page.number.ends",
            "size",
        ),
        ("rows: tickets", "rows: tickets\n        view: eventual", "find.recent.view", "has a lag"),
        ("rows: tickets", "rows: tickets\n        when: poll", "find", "no look is made when: deadline"),
        ("id: id, ", "", "find.recent.ticket", "what a ticket's id is"),
        ("subject: subject, ", "", "find.recent.ticket", "no text in which a token"),
        (", created_at: created", "", "find.recent.order", "can't be known without created_at"),
        (", open: {pick: state, not_among: [closed]}", "", "ticket", "still open is not said"),
        (
            "created_at: created",
            "created_at: {pick: c, as: {time: later}}",
            "ticket.created_at.as.time",
            "form of a time",
        ),
        (
            "created_at: created",
            "created_at: {pick: c, as: {zone: Mars}}",
            "ticket.created_at.as.zone",
            "no time zone",
        ),
        ("created_at: created", "created_at: {pick: c, as: htm}", "ticket.created_at.as", "way to read"),
        ("created_at: created", "created_at: {pick: c, header: d}", "ticket.created_at", "one source"),
        (
            "created_at: created",
            "created_at: {pick: c, regex: '('}",
            "ticket.created_at.regex",
            "regular expression",
        ),
        (
            "json: {state: closed}",
            "json: {state: closed}, ok: [gone]",
            "clean.close[0].ok[0]",
            "not a status",
        ),
        ("      close: [", "      delete: [", "clean", "clean.close says no request"),
        ("auth: {bearer", "auth: {basic: {username: a, password: b}, bearer", "auth", "Keep one"),
        ("secrets:", "failures: [{means: auth}]\n    secrets:", "failures[0]", "every answer"),
        ("secrets:", "budget: {day: {}}\n    secrets:", "budget.day", "nothing tells"),
        ("secrets:", "budget: {day: {limit: 0}}\n    secrets:", "budget.day.limit", "lets nothing be asked"),
        (
            "secrets:",
            f"{SMALL}\n    budget: {{slow: {{at_most: 1/m}}}}\n    secrets:",
            "budget.slow.at_most",
            "of 1 requests one is ours, and a look takes two at least",
        ),
        (
            "secrets:",
            f"{SMALL}\n    budget: {{slow: {{limit: 3, daily: true}}}}\n    throttle: {{share: 50%}}\n    secrets:",
            "budget.slow.limit",
            "of 3 requests one is ours",
        ),
        ("secrets:", "budget: {day: {from: {header: a}}}\n    secrets:", "budget.day", "belong together"),
        ("secrets:", "headers: {'a b': c}\n    secrets:", "headers.a b", "no header field"),
        ("secrets:", "token: {env: DESK_TOKEN}\n    secrets:", "token", "unknown key token"),
    ],
)
def test_mistake__is_named_with_place_and_remedy(
    tmp_path: Path, old: str, new: str, key: str, message: str
) -> None:
    error = only_mistake(tmp_path, changed(old, new, WHOLE))

    assert error.key == f"ticketing.desk.{key}"
    assert message in f"{error.message}. {error.remedy}"
    assert error.remedy
    assert error.line is not None


@pytest.mark.parametrize(
    ("auth", "key", "message"),
    [
        (
            "exchange: {post: /login, take: {token: token, url: place}}",
            "exchange[0].take.url",
            "add the hosts of the system: auth: {hosts: [desk.acme.example]}",
        ),
        (
            'exchange: [{post: /login, take: {tenant: t, token: token}}, {post: "https://{{ auth.tenant }}/x", take: {}}]',
            "exchange[1].post",
            "auth.hosts does not say where it may",
        ),
        (
            'hosts: [acme.example], exchange: [{post: /a, take: {token: t}}, {get: "https://login.acme.test/{{ auth.token }}", take: {}}]',
            "exchange[1].get",
            "auth: {hosts: [login.acme.test]}",
        ),
        (
            "exchange: {post: 'http://login.acme.example/token', take: {token: token}}",
            "exchange[0].post",
            "without TLS",
        ),
        ("exchange: {post: 'http://[bad/', take: {token: token}}", "exchange[0].post", "this is no address"),
    ],
    ids=[
        "the url of all calls",
        "a host that is told",
        "another host with what is told",
        "no TLS",
        "no address",
    ],
)
def test_log_in_that_could_only_be_refused_at_run_time__is_told_before(
    tmp_path: Path, auth: str, key: str, message: str
) -> None:
    text = changed(
        'auth: {bearer: "{{ secret.key }}"}', f"auth: {{{auth}, bearer: '{{{{ auth.token }}}}'}}", WHOLE
    )

    error = only_mistake(tmp_path, text)

    assert error.key == f"ticketing.desk.auth.{key}"
    assert message in f"{error.message}. {error.remedy[:1].lower()}{error.remedy[1:]}"


@pytest.mark.parametrize(
    "auth",
    [
        "hosts: [acme.example], exchange: {post: /login, take: {token: token, url: place}}",
        "exchange: {post: 'https://login.other.test/token', take: {token: token}}",
        'exchange: [{post: /a, take: {token: t}}, {post: "https://desk.acme.example/{{ auth.token }}", take: {}}]',
        'exchange: [{post: /a, take: {token: t, path: p}}, {post: "{{ auth.path }}", take: {}}]',
    ],
    ids=["hosts are said", "an address of the configuration", "the configured host", "a path that is told"],
)
def test_log_in_that_stays_where_it_may__is_no_mistake(tmp_path: Path, auth: str) -> None:
    text = changed(
        'auth: {bearer: "{{ secret.key }}"}', f"auth: {{{auth}, bearer: '{{{{ auth.token }}}}'}}", WHOLE
    )

    assert read(tmp_path, text).ticketing["desk"].generic is not None


def test_variable_of_each_sender__in_a_look_for_all__is_a_mistake(tmp_path: Path) -> None:
    text = changed(
        "    find:\n",
        '    vars: {user: {per: requesters, get: "/users/{{ requester }}", pick: id}}\n    find:\n',
        WHOLE,
    )

    error = only_mistake(
        tmp_path, changed("get: /tickets\n", 'get: "/users/{{ vars.user }}/tickets"\n', text)
    )

    assert error.key == "ticketing.desk.find.recent"
    assert "per: requesters" in error.remedy


def test_keys_of_http__in_a_known_system__are_told_where_they_belong(tmp_path: Path) -> None:
    (error,) = mistakes(tmp_path, changed("tag: synthetic, cap", "find: {}, cap", FULL))

    assert error.key == "ticketing.desk.find"
    assert "type: http" in error.remedy


def test_secret_that_is_missing__is_told_at_its_name(tmp_path: Path) -> None:
    error = only_mistake(
        tmp_path, changed("{env: DESK_TOKEN}}\n    auth", "{env: NOT_SET}}\n    auth", WHOLE)
    )

    assert error.key == "ticketing.desk.secrets.key"


@pytest.mark.parametrize(
    ("const", "value"),
    [("[]", []), ("[a, b]", ["a", "b"]), ("{a: 1}", {"a": 1}), ("web", "web"), ("5", 5), ("true", True)],
)
def test_constant__stays_what_it_is(tmp_path: Path, const: str, value: object) -> None:
    text = changed("ticket: {id: id,", f"ticket: {{tags: {{const: {const}}}, id: id,", WHOLE)

    config = read(tmp_path, text).ticketing["desk"].generic

    assert config is not None
    (look,) = config.settings.looks
    assert look.ticket.picks["tags"].of(Seen({})) == value


@pytest.mark.parametrize("method", ["put", "post", "patch", "delete"])
def test_rights_by_a_request_that_could_change_a_strangers_ticket__are_a_mistake(
    tmp_path: Path, method: str
) -> None:
    rights = f'      rights: {{{method}: "/tickets/{{{{ ticket.id }}}}", must: "@"}}\n'

    mistake = only_mistake(tmp_path, WHOLE.replace("      close: [", rights + "      close: ["))

    assert mistake.key == f"ticketing.desk.clean.rights.{method}"
    assert "stranger" in mistake.message


def test_window_whose_limit_no_answer_tells__has_that_of_the_configuration(tmp_path: Path) -> None:
    budget = (
        "budget: {day: {limit: 5000, daily: true}}\n    throttle: {share: 10%, account: Acme}\n    secrets:"
    )
    generic = read(tmp_path, changed("secrets:", budget, WHOLE)).ticketing["desk"].generic

    assert generic is not None
    found = generic.settings.calls.budget
    assert [(one.name, one.limit, one.tells_left, one.is_day) for one in found.windows] == [
        ("day", 5000, False, True)
    ]
    assert (found.own_share, found.account) == (0.1, "Acme")


def test_systems_at_one_host__are_counted_together(tmp_path: Path) -> None:
    generic = read(tmp_path, WHOLE).ticketing["desk"].generic

    assert generic is not None
    assert generic.settings.calls.budget.account == "desk.acme.example"
