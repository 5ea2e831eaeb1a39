"""The documents of a path, by channel."""

from typing import Annotated

from pydantic import Field

from canary.hop import Channel
from runners.config.document_email import EmailPathDocument
from runners.config.document_paths import PathDocument

AnyPathDocument = EmailPathDocument
PathSetting = Annotated[AnyPathDocument, Field()]

PATH_DOCUMENTS: dict[Channel, type[PathDocument]] = {Channel.EMAIL: EmailPathDocument}
