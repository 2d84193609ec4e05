"""The few families of errors, each a plain sentence safe to show anyone.

Raised deep, turned into a page or a problem document (RFC 9457) once, in `portal.problems`.
A sentence says what happened and what to do; it never carries a name, number, UID or code.
"""

from __future__ import annotations


class ScanpassError(Exception):
    """An error with a sentence for people and a status for HTTP."""

    status = 500
    title = "Something went wrong"
    sentence = "Something went wrong on our side. Please try again in a minute."

    def __init__(self, sentence: str | None = None, **details: object) -> None:
        self.sentence = sentence or type(self).sentence
        self.details = details
        super().__init__(self.sentence)


class InvalidInput(ScanpassError):
    """The request can't be understood; the sentence says what to correct."""

    status = 400
    title = "Please check what you entered"
    sentence = "Something in this form is missing or wrong. Please check it and send it again."


class SignInRequired(ScanpassError):
    """Nobody is signed in, or the session has ended."""

    status = 401
    title = "Please sign in again"
    sentence = "Your session has ended. Please sign in again."


class FreshCodeRequired(ScanpassError):
    """Signed in and allowed, but the last code of the authenticator app is too long ago; `next` takes a new one."""

    status = 403
    title = "Please enter a code of your app"
    sentence = "This needs a new code of your authenticator app."


class AccessDenied(ScanpassError):
    """The actor is known and may not do this."""

    status = 403
    title = "Not allowed"
    sentence = "Your role does not allow this. Ask the practice owner if you need it."


class ReasonRequired(ScanpassError):
    """Allowed by the role, but nothing connects this person with the patient lately; `next` takes a reason."""

    status = 403
    title = "Say why you open these images"
    sentence = (
        "You have had nothing to do with this patient lately, or the patient is restricted. Say why first."
    )


class NotFound(ScanpassError):
    """Unknown, foreign and forbidden objects look alike to those who may not know."""

    status = 404
    title = "Not found"
    sentence = "There is nothing here, or it is not yours to open."


class Conflict(ScanpassError):
    """The thing has moved on since it was last read."""

    status = 409
    title = "Already changed"
    sentence = "This has changed in the meantime. Please reload the page."


class Gone(ScanpassError):
    """It existed and has ended: expired, revoked or closed."""

    status = 410
    title = "This link has ended"
    sentence = "This link has ended. Please ask your dental office for a new one."


class TooLarge(ScanpassError):
    """More was sent than a request may carry."""

    status = 413
    title = "Too large"
    sentence = "That was more than can be sent at once. Please send less."


class CodeRefused(ScanpassError):
    """A code, birth date or address that does not match."""

    status = 422
    title = "That does not match"
    sentence = "That does not match. Please check it and try again."


class IngestRefused(ScanpassError):
    """A file, archive or study that can't be taken.

    `code` is a short word for machines (`not-dicom`, `truncated`, `zip-ratio`...).
    """

    status = 422
    title = "This file can't be taken"
    sentence = "This file can't be taken."

    def __init__(self, code: str, sentence: str, **details: object) -> None:
        super().__init__(sentence, **details)
        self.code = code


class LimitReached(ScanpassError):
    """A throttle or cap; `retry_after_s` says when to try again."""

    status = 429
    title = "Please wait"
    sentence = "That was too often. Please wait a little and try again."

    def __init__(
        self, sentence: str | None = None, *, retry_after_s: int | None = None, **details: object
    ) -> None:
        super().__init__(sentence, **details)
        self.retry_after_s = retry_after_s


class VaultDamaged(ScanpassError):
    """Sealed data failed a check: nothing of it may be released.

    `reason` is a short word for the log and the tests (`magic`, `tag`, `commitment`...), never content.
    """

    status = 503
    title = "This image can't be shown"
    sentence = "This image failed its safety check and can't be shown. Please call the dental office."

    def __init__(self, reason: str, sentence: str | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason


class Sealed(ScanpassError):
    """The keys are out of reach, so everything is closed."""

    status = 503
    title = "Closed for now"
    sentence = "The system is locked because its keys can't be reached. Please try again in a few minutes."


class Unavailable(ScanpassError):
    """The database can't be reached, or is busy for too long."""

    status = 503
    title = "Busy for a moment"
    sentence = "The system is busy. Please try again in a minute."


class StorageFull(ScanpassError):
    """The disk can't take more; reading goes on."""

    status = 507
    title = "The disk is full"
    sentence = (
        "The disk is full, so nothing was stored. "
        "Free some space, then send it again: it goes on where it stopped."
    )
