"""How `headwater doctor` says that something is wrong."""


class Wrong(Exception):
    """What is wrong, and how to mend it."""


def because(failure: object, mend: str) -> Wrong:
    """What has failed, as it says itself, and what to do about it."""
    return Wrong(f"{str(failure).rstrip(' .')}. {mend}")
