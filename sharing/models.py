"""Who may see a study, until when: shares, their sessions, codes, messages and what was released."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from portal.accounts.models import User
from portal.practice.models import Practice
from portal.records.models import Disclosure, Patient, Row, Series, Study
from portal.sealed.fields import BlindIndexField, SealedJSON, SealedText


class Channel(models.TextChoices):
    TEXT = "text", "Text message"
    EMAIL = "email", "E-mail"
    LETTER = "letter", "Printed letter"


class Share(Row):
    """The permission: one recipient, some series, until a time. Its link is only a key to this row.

    Every counter here is raised by one conditional UPDATE and never by reading first.
    """

    disclosure = models.OneToOneField(Disclosure, on_delete=models.PROTECT, related_name="share")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="shares")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    # E.164 number or e-mail address, where link and code go; of a letter, to whom it is handed or mailed
    address = SealedText()
    address_index = BlindIndexField()
    language = models.CharField(max_length=8, default="en")
    allows_download = models.BooleanField(default=False)

    # HMAC of the link's token; None until the worker has minted one. A resend replaces it: the old link is dead.
    token_hmac = models.BinaryField(max_length=32, null=True, unique=True)
    links_sent = models.PositiveIntegerField(default=0)

    # How often a code may open it; None: as often as it likes. Raised by the same UPDATE that asks.
    opens_max = models.PositiveSmallIntegerField(null=True)
    opens = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    expired_noted_at = models.DateTimeField(null=True)
    # Stopped by the practice for the time being, and why, in one word: "hold", "restore".
    suspended_at = models.DateTimeField(null=True)
    suspended_for = models.CharField(max_length=12, blank=True)

    match_misses = models.PositiveSmallIntegerField(default=0)  # wrong birth dates, wrong addresses
    code_failures = models.PositiveSmallIntegerField(default=0)  # in the life of the share
    locked_at = models.DateTimeField(null=True)
    # When a code was last asked for: the conditional UPDATE on it lets one of many simultaneous asks through.
    code_asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="share_ends"
            ),
            models.CheckConstraint(
                condition=models.Q(code_failures__lte=settings.CODE_FAILURES_MAX), name="share_code_failures"
            ),
            models.CheckConstraint(
                condition=models.Q(match_misses__lte=settings.BIRTHDATE_MISSES_MAX), name="share_match_misses"
            ),
            models.CheckConstraint(
                condition=models.Q(opens_max=None) | models.Q(opens__lte=models.F("opens_max")),
                name="share_opens",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["practice", "expires_at"], name="share_expiry")]


class SharedSeries(models.Model):
    """One series that a share opens."""

    id = models.BigAutoField(primary_key=True)
    share = models.ForeignKey(Share, on_delete=models.PROTECT, related_name="shared_series")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["share", "series"], name="shared_series_once")
        ]

    def __str__(self) -> str:
        return f"series {self.series_id} in share {self.share_id}"


class ShareSession(models.Model):
    """A recipient's browser at one share. A new row (and cookie) at each step, so no step's cookie opens the next.

    `idle_until` moves with use and never past `ends_at`. A link that nobody knows gets a row too, without a share:
    whoever opens it must not be able to tell it from one that has ended.
    """

    class Step(models.TextChoices):
        OPENED = "opened"  # holds the link
        MATCHED = "matched"  # gave the right birth date or address
        DECOY = "decoy"  # gave a wrong address: walks on alike, and no code is ever sent
        VERIFIED = "verified"  # gave the right code

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    share = models.ForeignKey(Share, null=True, on_delete=models.PROTECT, related_name="sessions")
    key_hmac = models.BinaryField(max_length=32, unique=True)
    step = models.CharField(max_length=10, choices=Step.choices)
    created_at = models.DateTimeField()
    idle_until = models.DateTimeField()
    ends_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Set once the closing entries (which bytes were released, when) stand in the trail.
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"session {self.pk} at {self.step}"


class Challenge(models.Model):
    """One code: bound to a share and to the browser that asked for it. The code itself is never stored.

    `code_hmac` is empty until the worker has made the code, in the moment of sending it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(ShareSession, on_delete=models.PROTECT, related_name="challenges")
    share = models.ForeignKey(Share, on_delete=models.PROTECT, related_name="challenges")
    code_hmac = models.BinaryField(max_length=32, null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(tries__lte=settings.CODE_TRIES_MAX), name="challenge_tries"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["share", "created_at"], name="challenge_recent")]

    def __str__(self) -> str:
        return f"challenge {self.pk}"


class Message(Row):
    """The outbox: what must be sent. Link and code are made by the worker and leave only in the message itself."""

    class Kind(models.TextChoices):
        LINK = "link"
        CODE = "code"
        CALL = "call"  # a code, spoken on the telephone
        NOTICE = "notice"  # to the one who passed their scan on: it was opened

    CODES: ClassVar = (Kind.CODE, Kind.CALL)  # what somebody waits for, with the page open

    class State(models.TextChoices):
        QUEUED = "queued"
        HELD = "held"  # it waits for its hour, its turn, the vendor or an agreement; `trouble` says which
        SENT = "sent"  # the vendor took it, which is not yet a telephone that got it
        DELIVERED = "delivered"
        UNDELIVERED = "undelivered"
        FAILED = "failed"  # it never left

    share = models.ForeignKey(Share, on_delete=models.PROTECT, related_name="messages")
    challenge = models.ForeignKey(Challenge, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    gateway = models.CharField(max_length=20, blank=True)
    vendor_reference = models.CharField(max_length=80, blank=True)
    trouble = models.CharField(max_length=20, blank=True)  # a `sharing.troubles.Trouble`
    failure = models.CharField(max_length=200, blank=True)  # the same for people
    due_at = models.DateTimeField(null=True)  # when a held one has its next turn
    holds = models.PositiveSmallIntegerField(default=0)
    is_urgent = models.BooleanField(default=False)  # the desk said "send now"
    reported_at = models.DateTimeField(null=True)  # when the vendor told whether it arrived


class OptOut(models.Model):
    """A number whose owner texted STOP. It holds for the installation: all its practices text from one number."""

    id = models.BigAutoField(primary_key=True)
    subject = models.BinaryField(max_length=32, unique=True)  # a keyed hash: the table names no number
    since = models.DateTimeField()

    def __str__(self) -> str:
        return "opt-out"


class Turn(models.Model):
    """When a gateway takes its next message: a batch leaves one by one, as fast as the vendor allows."""

    gateway = models.CharField(max_length=20, primary_key=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"turn of {self.gateway}"


class SendCount(models.Model):
    """How much was sent in a window, by phone, practice or network address; raised by one conditional UPDATE.

    `subject` is a keyed hash, so the table names no number.
    """

    id = models.BigAutoField(primary_key=True)
    subject = models.BinaryField(max_length=32)
    window = models.CharField(max_length=10)
    starts_at = models.DateTimeField()
    sent = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "window", "starts_at"], name="send_count_window")
        ]

    def __str__(self) -> str:
        return "send count"


class Tally(models.Model):
    """What of one series was released in one session: raised with each batch's check, in one UPDATE.

    A recipient's tally names their share session; a member of staff's names theirs by a keyed hash.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+")
    session = models.ForeignKey(ShareSession, null=True, on_delete=models.PROTECT, related_name="tallies")
    staff_session = models.CharField(max_length=32, blank=True)
    actor_id = models.UUIDField()
    levels = models.PositiveBigIntegerField(default=0)  # bit n: something of level n was released
    frames = models.PositiveBigIntegerField(default=0)
    length_bytes = models.PositiveBigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["session", "series"], condition=models.Q(session__isnull=False), name="tally_of_share"
            ),
            models.UniqueConstraint(
                fields=["staff_session", "series"],
                condition=models.Q(session__isnull=True),
                name="tally_of_staff",
            ),
        ]

    def __str__(self) -> str:
        return f"tally of {self.series_id}"


class Download(models.Model):
    """One download of a study by one session: how far it came, and the receipt at its last byte."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    session = models.ForeignKey(ShareSession, null=True, on_delete=models.PROTECT, related_name="downloads")
    staff_session = models.CharField(max_length=32, blank=True)
    actor_id = models.UUIDField()
    etag = models.CharField(max_length=64)
    length_bytes = models.PositiveBigIntegerField()
    sent_bytes = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField()
    last_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"download {self.pk}"


class DeskTask(Row):
    """Something the desk should do: a new link asked for, a share that locked itself."""

    class Kind(models.TextChoices):
        RENEWAL = "renewal", "A new link was asked for"
        LOCKED = "locked", "A link locked itself: wrong number?"
        UNREQUESTED = "unrequested", "Three codes were sent and nobody typed them in: is it somebody else?"
        ADD_PERSON = "add-person", "A colleague asks for a link of their own"
        SEND_FAILED = "send-failed", "A message did not reach its recipient"
        HELD = "held", "A message waits to be sent"
        RESTORED = "restored", "Locked after a restore: unlock it if it may go on"

    share = models.ForeignKey(Share, on_delete=models.PROTECT, related_name="tasks")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    note = SealedJSON(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["share", "kind"], condition=models.Q(done_at=None), name="desk_task_once"
            )
        ]


# Their models stand in modules of their own; whoever loads these loads those.
from sharing import known as known  # noqa: E402
from sharing import onward as onward  # noqa: E402
from sharing import paper as paper  # noqa: E402
