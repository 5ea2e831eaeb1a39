"""What a field is for, by what it is called: the request's subject and body, the customer's address, a password."""

import re
from enum import StrEnum
from typing import Final

from probes.portal.steps import Locator, shown


class Kind(StrEnum):
    """What a field takes. The first ones are the words of a template."""

    SUBJECT = "subject"
    BODY = "body"
    SENDER = "sender"
    NAME = "name"
    PASSWORD = "password"  # noqa: S105 -- a field's kind
    CODE = "code"
    USER = "user"
    OTHER = "other"


_PARTS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CODES: Final = (
    r"otp|totp|2fa|mfa|tfa|authenticator|one time|onetime|verification code|security code|passcode|einmal\w*"
)
_PASSWORDS: Final = (
    r"pass|pw|pwd|passwd|\w*pass(?:word|wd|phrase|wort)\w*|kennwort|mot de passe|contrase[nñ]a|senha|wachtwoord"
    r"|pin|secret|token|api ?key"
)
_USERS: Final = r"user|username|user name|login|log in|account|benutzer\w*|anmeldename|identifiant|usuario"
_SENDERS: Final = r"e ?mail|mail|requester|submitter"
_SUBJECTS: Final = r"subject|title|summary|topic|betreff|titel|objet|sujet|asunto|assunto|onderwerp"
_BODIES: Final = (
    r"description|describe|message|body|details?|comments?|content|contenteditable|question|issue|problem|beschreibung|nachricht"
    r"|anliegen|corps|descripci[oó]n|mensaje|mensagem|bericht"
)
_NAMES: Final = r"name|full name|your name|nom|nombre|nome|naam"
_WORDS: Final = tuple(
    (kind, re.compile(rf"\b(?:{words})\b"))
    for kind, words in (
        (Kind.CODE, _CODES),
        (Kind.PASSWORD, _PASSWORDS),
        (Kind.USER, _USERS),
        (Kind.SENDER, _SENDERS),
        (Kind.SUBJECT, _SUBJECTS),
        (Kind.BODY, _BODIES),
        (Kind.NAME, _NAMES),
    )
)
_NOT_THE_CUSTOMER: Final = re.compile(
    r"\b(?:company|organi[sz]ation|product|host|file|project|server|domain|device)\b"
)
_SECRET: Final = frozenset({Kind.PASSWORD, Kind.CODE})
_BUTTON_ROLES: Final = frozenset({"button"})
_SENDS = re.compile(
    r"\b(?:submit|send|create|open|post|report|absenden|senden|einreichen|erstellen|envoyer|enviar|verzenden)\b"
)
_LEAVES = re.compile(r"\b(?:log ?out|sign ?out|log ?off|abmelden|close|cancel|back|schließen|abbrechen)\b")

_BANNER = re.compile(
    r"\b(?:(?:accept|allow|reject|decline) (?:all|cookies?|the cookies)|(?:necessary|essential) (?:cookies )?only|got it"
    r"|alle (?:cookies )?(?:akzeptieren|ablehnen)|tout (?:accepter|refuser)|aceptar (?:todo|cookies))\b"
)
_LOGS_IN = re.compile(
    r"\b(?:log ?in|sign ?in|log ?on|anmelden|einloggen|connexion|entrar|continue|next|weiter)\b"
)


def kind_of(locator: Locator) -> Kind:
    """What the field that a locator finds is for."""
    words = _said(locator)
    kind = next((kind for kind, pattern in _WORDS if pattern.search(words)), Kind.OTHER)
    return Kind.OTHER if kind is Kind.NAME and _NOT_THE_CUSTOMER.search(words) else kind


def is_secret(kind: Kind) -> bool:
    """Whether what is typed there must not be told."""
    return kind in _SECRET


def is_button(locator: Locator) -> bool:
    """Whether it is a button, as far as its locator tells."""
    by_css = re.search(r"button|submit", shown(locator.value).lower()) is not None
    return (
        (shown(locator.value) in _BUTTON_ROLES)
        if locator.by.value == "role"
        else locator.by.value == "css" and by_css
    )


def sends(locator: Locator) -> bool:
    """Whether it is called as what sends a request is called."""
    return _SENDS.search(_said(locator)) is not None


def leaves(locator: Locator) -> bool:
    """Whether it is called as what ends a visit is called."""
    return _LEAVES.search(_said(locator)) is not None


def _said(locator: Locator) -> str:
    """The words by which an element is named, in lower case, one space between them."""
    texts = [shown(locator.name)] if locator.name is not None else []
    texts += [] if locator.by.value == "role" else [shown(locator.value)]
    return " ".join(_PARTS.findall(_CAMEL.sub(" ", " ".join(texts)))).lower()


def logs_in(locator: Locator) -> bool:
    """Whether it is called as what ends a log-in is called."""
    return _LOGS_IN.search(_said(locator)) is not None


def accepts_cookies(locator: Locator) -> bool:
    """Whether it is called as what closes a cookie banner is called."""
    return _BANNER.search(_said(locator)) is not None
