"""What can go wrong in training, by what a caller would do about it."""


class TrainingError(Exception):
    """A run cannot begin or go on; `hint` says what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class DataError(TrainingError):
    """A data set or one sample of it cannot be read."""
