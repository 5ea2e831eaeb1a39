from probes.mailbox.connection import Folder
from probes.mailbox.folders import Role, sort_folders
from probes.mailbox.settings import MailboxSettings
from probes.servers import Server, TlsMode

_SERVER = Server("imap.acme.test", 993, TlsMode.IMPLICIT)


def _folder(name: str, *uses: str) -> Folder:
    return Folder(name, frozenset(uses))


def test_special_use__decides_over_names() -> None:
    folders = [
        _folder("INBOX"),
        _folder("Junk"),
        _folder("Unerwünscht", "junk"),
        _folder("Papierkorb", "trash"),
    ]

    places = sort_folders(folders, MailboxSettings("support", _SERVER))

    assert places.roles == (
        ("Papierkorb", Role.ELSEWHERE),
        ("Unerwünscht", Role.JUNK),
        ("INBOX", Role.ARRIVAL),
    )
    assert places.trash == "Papierkorb"


def test_no_special_use__the_usual_names_are_taken() -> None:
    folders = [_folder("INBOX"), _folder("INBOX.spam"), _folder("Trash"), _folder("Friends")]

    places = sort_folders(folders, MailboxSettings("support", _SERVER))

    assert dict(places.roles) == {"Trash": Role.ELSEWHERE, "INBOX.spam": Role.JUNK, "INBOX": Role.ARRIVAL}


def test_configured_folder_that_is_junk_by_its_use__is_one_of_arrival() -> None:
    settings = MailboxSettings("support", _SERVER, folder="Tickets", more_folders=("Spam",))

    places = sort_folders([_folder("Tickets"), _folder("Spam", "junk")], settings)

    assert places.roles == (("Spam", Role.ARRIVAL), ("Tickets", Role.ARRIVAL))
    assert places.trash is None


def test_main_folder__is_the_last_to_be_read() -> None:
    settings = MailboxSettings("support", _SERVER, more_folders=("A", "B"))

    places = sort_folders([_folder("INBOX"), _folder("A"), _folder("B"), _folder("J", "junk")], settings)

    assert places.roles[-1] == ("INBOX", Role.ARRIVAL)
