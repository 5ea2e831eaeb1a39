"""The documents of a path, by channel."""

from typing import Annotated, Final

from pydantic import Field

from canary.hop import Channel
from runners.config.document_email import EmailPathDocument
from runners.config.document_form import FormPathDocument
from runners.config.document_paths import PathDocument
from runners.config.document_portal import PortalPathDocument

AnyPathDocument = EmailPathDocument | PortalPathDocument | FormPathDocument
PathSetting = Annotated[AnyPathDocument, Field(discriminator="channel")]

PATH_DOCUMENTS: Final[dict[Channel, type[PathDocument]]] = {
    Channel.EMAIL: EmailPathDocument,
    Channel.PORTAL: PortalPathDocument,
    Channel.FORM: FormPathDocument,
}
