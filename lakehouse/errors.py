"""What can go wrong, one class per exit code. A message says what, where and what to do."""


class BangfuError(Exception):
    """A mistake that its user can mend: shown as one message, without a traceback."""

    exit_code = 1


class UsageError(BangfuError):
    """The command or its options do not make sense."""

    exit_code = 2


class DeclarationError(BangfuError):
    """A table, job, feed or setting is declared wrongly. Raised on import or on load."""

    exit_code = 10


class InputMissing(BangfuError):
    """A delivery, table, setting or program that is needed is not there."""

    exit_code = 11


class ChecksFailed(BangfuError):
    """Data did not pass its gate, or its rows could not all be accounted for."""

    exit_code = 12


class PrivacyError(BangfuError):
    """Going on would show what must not be shown."""

    exit_code = 13


EXIT_CODES = {
    0: "done",
    1: "a bug in Bangfu",
    2: "the command or its options",
    10: "a declaration (table, job, feed, setting)",
    11: "something needed is missing",
    12: "checks failed",
    13: "privacy",
}


# What Python, the JVM, delta-rs and SQLite say of it.
DISK_FULL = ("no space left on device", "disk quota exceeded", "database or disk is full")


def is_disk_full(error: BaseException | None) -> bool:
    """Tell whether an error, or one that it came of, is that a disk had no room."""
    while error is not None:
        if any(word in str(error).lower() for word in DISK_FULL):
            return True
        error = error.__cause__ or error.__context__
    return False


def nearest(word: str, known: "list[str]") -> str:
    """Return ` Did you mean 'x'?` for the nearest known word, or an empty string."""
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""
