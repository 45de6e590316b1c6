"""What can be wrong with weights, and who no longer waits for them."""


class GivenUpError(Exception):
    """Nobody waits for the network that was being loaded any more."""


class WeightsError(Exception):
    """Weights that are not there, or that this network cannot use.

    Attributes:
        hint: what the operator can do.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.args[0]} {self.hint}"
