"""What it means that something did not reach the outside."""


class Undelivered(Exception):
    """It was not taken, as far as we know.

    `code` is stable and for programs, `detail` for people. `final`: another attempt would be refused as well.
    `uncertain`: everything was sent, and no answer came, so it may have been taken.
    """

    def __init__(self, code: str, detail: str, *, final: bool = False, uncertain: bool = False) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.final = final
        self.uncertain = uncertain
