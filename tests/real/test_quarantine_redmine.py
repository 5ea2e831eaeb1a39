"""Redmine with the rendered words of its mail handler as the quarantine."""

import asyncio
import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from canary.canary import Canary
from canary.quarantine import Mark
from canary.ticket import Ticket
from runners.clock import SystemClock
from tests.contracts.ticketing_contract import new_canary
from tests.generic_desks import of_preset, opened
from tests.real.quarantine_scene import first_seen, hello, intake, rendered, with_the_rule, without_the_rule
from tests.real.servers.process import hand_over
from tests.real.servers.redmine import Redmine, running_redmine

GROUP = "Canaries"
AGENT, MANAGER = "agent@acme.test", "manager@acme.test"
SYSTEM = f"{{type: redmine, url: 'https://redmine.acme.test', secrets: {{key: {{env: REDMINE_KEY}}}}, quarantine: {{group: {GROUP}}}}}"
# An agent and a manager who are mailed of all that they may see, and the category that the page asks for.
DATA = f"""
require 'json'
project = Project.find('support')
def person(project, address, role)
  user = User.new(firstname: role, lastname: 'of the team', mail: address, language: 'en', mail_notification: 'all')
  user.login = address
  user.password = 'not-used-by-tests'
  user.save!
  Member.create!(project: project, user: user, roles: [Role.find_by_name(role)])
  user.api_key
end
category = IssueCategory.create!(project: project, name: '{GROUP}')
puts JSON.generate(agent: person(project, '{AGENT}', 'Developer'), manager: person(project, '{MANAGER}', 'Manager'),
  category: category.id)
"""


@dataclass(frozen=True, slots=True)
class Team:
    """Who works in the project: API keys, and the number of the category."""

    agent: str
    manager: str
    category: int


@pytest.fixture(scope="module")
def redmine() -> Iterator[Redmine]:
    with running_redmine() as server:
        yield server


@pytest.fixture(scope="module")
def team(redmine: Redmine) -> Team:
    return Team(**json.loads(redmine.runner(DATA).splitlines()[-1]))


def by_the_usual_command(redmine: Redmine) -> Callable[[Canary], None]:
    def send(canary: Canary) -> None:
        code, said = redmine.deliver(hello(canary).as_bytes())
        assert code == 0, said

    return send


def by_the_rendered_command(redmine: Redmine, folder: Path) -> Callable[[Canary], None]:
    """The command as it is rendered, with the words filled in that are left to the reader."""
    key = redmine.site.directory / "mail-key"
    key.write_text(redmine.keys.mail)
    hand_over(key, redmine.account)
    text = rendered(folder, SYSTEM)["mail-handler.txt"]
    command = "".join(line for line in text.replace("\\\n", " ").splitlines(keepends=True) if line[0] != "#")
    filled = {
        "REPLACE_WITH_YOUR_URL": redmine.url,
        "REPLACE_WITH_THE_KEY_FILE": str(key),
        "REPLACE_WITH_THE_PROJECT": redmine.project,
    }
    program, *words = [filled.get(one, one) for one in shlex.split(command)]
    assert program == "rdm-mailhandler.rb"

    def send(canary: Canary) -> None:
        code, said = redmine.pipe(words, hello(canary).as_bytes())
        assert code == 0, said

    return send


def sees(redmine: Redmine, key: str, ticket: Ticket, query: str = "") -> bool:
    """Whether the list of open issues, as it comes, shows a ticket to who has the key."""
    answer = redmine.call(f"/issues.json?limit=100&sort=id:desc{query}", key=key)
    assert answer.status == 200, answer.body
    return ticket.ref.id in {str(one["id"]) for one in answer.body["issues"]}


def test_redmine_without_its_rule__stops_launches__and_the_rendered_command_lets_them_go_on(
    redmine: Redmine, team: Team, tmp_path: Path
) -> None:
    async def main() -> None:
        generic = of_preset(tmp_path, "redmine", redmine.url, {"REDMINE_KEY": redmine.keys.prober})
        async with opened(generic, clock=SystemClock()) as system:
            send = by_the_usual_command(redmine)
            async with intake(system, Mark(group=GROUP), send, tmp_path) as desk:
                await without_the_rule(desk)
            canary = new_canary(SystemClock().now())
            send(canary)
            ticket = await first_seen(system, canary)
            assert ticket.group == "none"
            assert sees(redmine, team.agent, ticket)
            assert redmine.told(AGENT) >= 3, "of three issues, and of two that were closed"

            send = by_the_rendered_command(redmine, tmp_path / "rendered")
            told, customers = redmine.told(AGENT), redmine.told(canary.sender)
            async with intake(system, Mark(group=GROUP), send, tmp_path) as desk:
                await with_the_rule(desk)
            canary = new_canary(SystemClock().now())
            send(canary)
            ticket = await first_seen(system, canary)
            assert ticket.group == GROUP
            assert not sees(redmine, team.agent, ticket)
            assert (redmine.told(AGENT), redmine.told(canary.sender)) == (told, customers)

            assert sees(redmine, team.manager, ticket)
            assert not sees(
                redmine, team.manager, ticket, f"&project_id=support&category_id=!{team.category}"
            )

    asyncio.run(main())


def test_manager_with_all_events__is_mailed_of_a_private_issue__and_with_less_is_not(
    redmine: Redmine, team: Team, tmp_path: Path
) -> None:
    assert team.category
    send = by_the_rendered_command(redmine, tmp_path)
    before = redmine.told(MANAGER)
    send(new_canary(SystemClock().now()))
    assert redmine.told(MANAGER) == before + 1

    redmine.runner(f"User.find_by_login('{MANAGER}').update!(mail_notification: 'only_my_events')")
    send(new_canary(SystemClock().now()))
    assert redmine.told(MANAGER) == before + 1


def test_no_notification__keeps_nobody_from_being_mailed(redmine: Redmine, team: Team) -> None:
    assert team.agent
    before = redmine.told(AGENT)
    code, said = redmine.deliver(hello(new_canary(SystemClock().now())).as_bytes(), "--no-notification")
    assert code == 0, said
    assert redmine.told(AGENT) == before + 1
