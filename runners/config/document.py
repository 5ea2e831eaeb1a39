"""The YAML document as a whole: the source of the JSON Schema. What is read are its parts (`validate`)."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from runners.config.block import Block
from runners.config.document_alerts import AlertsDocument
from runners.config.document_channels import PathSetting
from runners.config.document_maintenance import MaintenanceDocument
from runners.config.document_page import PageDocument
from runners.config.document_places import AccountDocument, MailboxDocument
from runners.config.document_prober import ProberDocument
from runners.config.document_telemetry import TelemetryDocument
from runners.config.document_ticketing import WrittenTicketingDocument
from runners.config.fields import Name


class Document(Block):
    """The configuration of intake-prober."""

    prober: ProberDocument
    accounts: dict[Name, AccountDocument]
    mailboxes: dict[Name, MailboxDocument] = {}
    ticketing: dict[Name, WrittenTicketingDocument] = {}
    paths: dict[Name, PathSetting]
    alerts: AlertsDocument = AlertsDocument()
    maintenance: dict[Name, MaintenanceDocument] = {}
    telemetry: TelemetryDocument = TelemetryDocument()
    web: PageDocument = PageDocument()
