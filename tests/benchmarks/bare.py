"""The baseline: a bare script with the same libraries that does the same exchange, and records nothing.

It sends with STARTTLS and a login, waits for the mail and the acknowledgement in IDLE, looks the ticket up once a
second, closes it, and deletes the mails, which say the same as a canary's. No store, no verdict, no evidence, no limits.
"""

import asyncio
import secrets
import ssl
import time
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime
from html import escape

import aiosmtplib
import httpx
from imapclient import IMAPClient

from probes.message.compose import DEFAULT_BODY, DEFAULT_SUBJECT
from tests.sandbox import AccountEndpoint, Endpoints

LIMIT_SECONDS = 60.0


def exchange(endpoints: Endpoints, canaries: int) -> None:
    """So many requests at once, from the first byte to the last mail removed.

    Raises:
        TimeoutError: one did not come.
    """
    asyncio.run(_exchange(endpoints, [f"x{secrets.token_hex(16)}" for _ in range(canaries)]))


async def _exchange(endpoints: Endpoints, tokens: Sequence[str]) -> None:
    context = ssl.create_default_context(cafile=endpoints.ca_file)
    support, canary = endpoints.account("support"), endpoints.account("canary")
    at_once = asyncio.Semaphore(10)
    found: set[str] = set()
    async with asyncio.TaskGroup() as group:
        # A mail that the helpdesk has taken is waited for no longer.
        group.create_task(asyncio.to_thread(_watch, endpoints, context, support, tokens, found))
        group.create_task(asyncio.to_thread(_watch, endpoints, context, canary, tokens, set()))
        for token in tokens:
            group.create_task(_send(endpoints, context, token, at_once))
        await _tickets(endpoints, tokens, found)
    async with asyncio.TaskGroup() as group:
        for account in (support, canary):
            group.create_task(asyncio.to_thread(_delete, endpoints, context, account, tokens))


async def _send(
    endpoints: Endpoints, context: ssl.SSLContext, token: str, at_once: asyncio.Semaphore
) -> None:
    sender = endpoints.account("canary")
    mail = EmailMessage()
    # From whom a customer's mail is, and the date that every mail must have (RFC 5322 section 3.6).
    mail["From"] = Address("Zoë Example", addr_spec=sender.address)
    mail["To"], mail["Date"] = endpoints.account("support").address, localtime()
    mail["Subject"], mail["Message-ID"] = f"bare {token} {DEFAULT_SUBJECT}", f"<{token}@probe.test>"
    text = f"Reference: {token}\n\n{DEFAULT_BODY}\n"
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(f"<pre>{escape(text)}</pre>\n", subtype="html", cte="quoted-printable")
    async with at_once:
        await aiosmtplib.send(
            mail,
            hostname=endpoints.host,
            port=endpoints.submission_port,
            start_tls=True,
            tls_context=context,
            username=sender.address,
            password=sender.password,
        )


def _watch(
    endpoints: Endpoints,
    context: ssl.SSLContext,
    account: AccountEndpoint,
    tokens: Sequence[str],
    taken: set[str],
) -> None:
    """Wait in IDLE until every token was seen, or is known to have been taken."""
    seen: set[str] = set()
    ends_at = time.monotonic() + LIMIT_SECONDS
    with _logged_in(endpoints, context, account) as imap:
        while not set(tokens) <= seen | taken:
            if time.monotonic() > ends_at:
                raise TimeoutError(account.address)
            imap.select_folder("INBOX", readonly=True)
            for data in imap.fetch(imap.search("ALL"), ["BODY.PEEK[HEADER]"]).values():
                header = data[b"BODY[HEADER]"].decode(errors="replace")
                seen |= {token for token in tokens if token in header}
            if set(tokens) <= seen | taken:
                return
            imap.idle()
            imap.idle_check(timeout=1)
            imap.idle_done()


async def _tickets(endpoints: Endpoints, tokens: Sequence[str], found: set[str]) -> None:
    """Look once a second; close each ticket when it is found."""
    headers = {"Authorization": f"Token {endpoints.desk_token}"}
    async with httpx.AsyncClient(base_url=endpoints.desk_url, headers=headers, trust_env=False) as desk:
        while True:
            answer = await desk.get(
                "/api/tickets/", params={"page": "last", "page_size": "100", "status": "1,2"}
            )
            for ticket in answer.json()["results"]:
                token = next((one for one in tokens if one in ticket["title"]), None)
                if token is not None and token not in found:
                    body = {"status": 4, "resolution": "bare: closed"}
                    (await desk.patch(f"/api/tickets/{ticket['id']}/", json=body)).raise_for_status()
                    found.add(token)
            if found == set(tokens):
                return
            await asyncio.sleep(1.0)


def _delete(
    endpoints: Endpoints, context: ssl.SSLContext, account: AccountEndpoint, tokens: Sequence[str]
) -> None:
    with _logged_in(endpoints, context, account) as imap:
        imap.select_folder("INBOX")
        mine = [uid for token in tokens for uid in imap.search(["TEXT", token])]
        if mine:
            imap.delete_messages(mine)
            imap.expunge(mine)


def _logged_in(endpoints: Endpoints, context: ssl.SSLContext, account: AccountEndpoint) -> IMAPClient:
    imap = IMAPClient(endpoints.host, port=endpoints.imap_port, ssl=False, timeout=20)
    imap.starttls(context)
    imap.login(account.address, account.password)
    return imap
