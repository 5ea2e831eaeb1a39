"""A ticket of Request Tracker with all that belongs to it, copied row by row in its SQLite database."""

import sqlite3

_OF_TICKET = "ObjectType = 'RT::Ticket' AND ObjectId = ?"


def copy_ticket(database: sqlite3.Connection, first: int, subject: str) -> int:
    """Copy a ticket with its roles, their members, its transactions and their attachments; the new ticket's number."""
    number = _copied(database, "Tickets", first, Subject=subject)
    database.execute("UPDATE Tickets SET EffectiveId = id WHERE id = ?", (number,))
    for role in _ids(database, "Groups", "Domain = 'RT::Ticket-Role' AND Instance = ?", first):
        _copy_role(database, role, number)
    for transaction in _ids(database, "Transactions", _OF_TICKET, first):
        made = _copied(database, "Transactions", transaction, ObjectId=number)
        parents = {0: 0}
        for attachment in _ids(database, "Attachments", "TransactionId = ?", transaction):
            (parent,) = database.execute(
                "SELECT Parent FROM Attachments WHERE id = ?", (attachment,)
            ).fetchone()
            parents[attachment] = _copied(
                database, "Attachments", attachment, TransactionId=made, Parent=parents[parent]
            )
    return number


def _copy_role(database: sqlite3.Connection, role: int, number: int) -> None:
    """A role is a group whose id is its principal's; it is a member of itself."""
    made = _copied(database, "Principals", role)
    _copied(database, "Groups", role, id=made, Instance=number)
    for member in _ids(database, "GroupMembers", "GroupId = ?", role):
        _copied(database, "GroupMembers", member, GroupId=made)
    for member in _ids(database, "CachedGroupMembers", "GroupId = ?", role):
        changed = {"GroupId": made, "ImmediateParentId": made}
        (who,) = database.execute(
            "SELECT MemberId FROM CachedGroupMembers WHERE id = ?", (member,)
        ).fetchone()
        if who == role:
            changed["MemberId"] = made
        via = _copied(database, "CachedGroupMembers", member, **changed)
        database.execute("UPDATE CachedGroupMembers SET Via = id WHERE id = ?", (via,))


def _ids(database: sqlite3.Connection, table: str, where: str, value: int) -> list[int]:
    query = f"SELECT id FROM {table} WHERE {where} ORDER BY id"  # noqa: S608 - our own words
    return [row[0] for row in database.execute(query, (value,))]


def _copied(database: sqlite3.Connection, table: str, number: int, **changed: object) -> int:
    """Copy a row with some columns changed; the new row's id."""
    cursor = database.execute(f"SELECT * FROM {table} WHERE id = ?", (number,))  # noqa: S608 - our own words
    names = [one[0] for one in cursor.description]
    row = dict(zip(names, cursor.fetchone(), strict=True))
    del row["id"]
    row |= changed
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    made = database.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values()))  # noqa: S608 - our own words
    return int(made.lastrowid or 0)
