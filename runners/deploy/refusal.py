"""Why nothing is rendered."""


class CannotRender(Exception):
    """What is asked for can't be made of this configuration; the message names the cause, ``remedy`` what helps."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy
