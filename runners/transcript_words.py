"""The words that a transcript may show as they are: those of protocols, and those that our own requests are made of.

Whatever else stands in an exchange is a stranger's, or may be. So nothing is shown because it looks harmless, only
because it is on this list. What the log-in of a configuration says is not on it: a key may stand there as it is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Final

from probes.ticketing.generic.expressions import Expression
from probes.ticketing.generic.picking import Pick
from probes.ticketing.generic.settings import GenericSettings
from probes.ticketing.generic.templates import Template

WORD: Final = re.compile(r"[^\W_]+")
_FILLED_IN: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LONGEST: Final = 40

_OF_HTTP: Final = """
accept application json text html plain xml hal vnd problem octet stream form urlencoded x www charset utf 8 gzip deflate
br identity chunked close keep alive rel next prev previous first last self no cache store private public must revalidate
get head post put patch delete options max age default q w r t s total remaining resets reset limit used api usage per app hour minute day second http https
intake prober synthetic bearer basic token oauth oauth2 tokens services login logout session authorize grant type scope
client credentials refresh assertion expires in access urn ietf params jwt read write
"""
_OF_LISTS: Final = """
api v1 v2 v3 rest data json page pages size number count offset start after before cursor next previous first last limit
sort order by asc desc include fields field query filter since until all any status state open new id created updated at
"""
_OF_TICKETS: Final = """
new open opened reopened pending hold waiting assigned active in progress solved resolved done closed rejected deleted
merged duplicate spam suspended email e mail web portal form chat phone api widget low normal medium high urgent critical
question incident problem task true false null yes no ok end user agent admin customer requester ticket tickets issue case
"""
_OF_OUR_ADAPTERS: Final = """
api tickets page last page size status REST 2 0 ticket attachments query fields Subject Status Created Requestor
CustomFields EmailAddress orderby order ASC DESC per page id TransactionId MessageId Filename ContentType Headers Content
AND OR LIKE Queue CF Active seconds Requestor EmailAddress queue title description submitter email priority resolution
Type rejected resolved closed 100
"""
WHOLE: Final = frozenset(_OF_TICKETS.split())
"""A text of an answer that is one of these is shown, such as ``solved`` or ``email``."""
WORDS: Final = frozenset(f"{_OF_HTTP} {_OF_LISTS} {_OF_OUR_ADAPTERS}".split())
"""Words of addresses, header fields and requests."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a transcript may show, in lower case.

    Attributes:
        whole: texts of answers, if they are nothing else.
        words: single words of addresses, header fields and requests.
    """

    whole: frozenset[str]
    words: frozenset[str]


def vocabulary(settings: GenericSettings | None) -> Vocabulary:
    """The usual words, with those that a configuration writes into its requests and expects in answers."""
    whole, words = set(WHOLE), {one.lower() for one in WORDS}
    if settings is not None:
        whole |= set(settings.channels)
        log_in = [one.asking.path for one in settings.calls.auth.exchanges]
        for text in (*_texts(settings), *_texts(log_in)):
            words |= {one.lower() for one in WORD.findall(_FILLED_IN.sub(" ", text)) if len(one) <= _LONGEST}
        for pick in _picks(settings):
            whole |= {one.lower() for one in (*(pick.among or ()), *(pick.others or ()))}
    return Vocabulary(frozenset(whole), frozenset(words))


_UNTOLD: Final = frozenset({"headers", "auth", "url", "name", "marker", "own_addresses"})
"""Parts of a configuration in which a name of somebody's or a literal credential may stand."""


def _texts(value: object) -> Iterator[str]:
    """All that stands in the requests and picks of a configuration, but for its log-in and its header fields."""
    match value:
        case Template() | Expression():
            yield value.source
        case str():
            yield value
        case int() if not isinstance(value, bool):
            yield str(value)
        case Mapping():
            yield from _texts(tuple(value))
            yield from _texts(tuple(value.values()))
        case list() | tuple() | set() | frozenset():
            for one in value:
                yield from _texts(one)
        case _ if is_dataclass(value):
            yield from _texts([getattr(value, one.name) for one in fields(value) if one.name not in _UNTOLD])
        case _:
            pass


def _picks(value: object) -> Iterator[Pick]:
    match value:
        case Pick():
            yield value
        case Mapping():
            for one in value.values():
                yield from _picks(one)
        case list() | tuple():
            for one in value:
                yield from _picks(one)
        case _ if is_dataclass(value):
            for each in fields(value):
                yield from _picks(getattr(value, each.name))
        case _:
            pass
