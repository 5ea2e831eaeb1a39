"""What is wrong with a text of the configuration, as its parser says it."""


class Mistake(ValueError):
    """A template or an expression that can't be used.

    Attributes:
        message: the cause, for people.
        remedy: what to do.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}. {remedy}")
        self.message = message
        self.remedy = remedy
