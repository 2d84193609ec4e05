"""The patient's record: patients, how to reach them, their studies, what came in, and what was disclosed."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from portal.accounts.models import User
from portal.practice.models import Practice
from portal.sealed.fields import BlindIndexField, SealedDate, SealedJSON, SealedText


class Row(models.Model):
    """What every row of the record has: an unguessable id and the practice it belongs to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.model_name} {self.pk}"


# --- patients ----------------------------------------------------------------------------------------------------


class Patient(Row):
    """A patient of the practice. Everything that says who it is, is sealed."""

    family_name = SealedText()
    given_name = SealedText()
    birthdate = SealedDate()
    chart_number = SealedText(null=True)
    # BCP 47 tag of the language in which this patient is written to.
    language = models.CharField(max_length=8, default="en")
    created_at = models.DateTimeField()

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def short_name(self) -> str:
        """How the landing page names the patient: "Maria G."."""
        return f"{self.given_name} {self.family_name[:1]}.".strip() if self.family_name else self.given_name


class SearchTerm(models.Model):
    """One blind index under which a patient is found: chart number, phone, last name, its prefixes."""

    class Field(models.TextChoices):
        CHART_NUMBER = "chart"
        PHONE = "phone"
        PHONE_LAST4 = "phone4"
        FAMILY_NAME = "name"
        FAMILY_PREFIX = "prefix"
        FAMILY_AND_BIRTHDATE = "name+dob"

    id = models.BigAutoField(primary_key=True)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="search_terms")
    field = models.CharField(max_length=10, choices=Field.choices)
    value = BlindIndexField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["patient", "field", "value"], name="search_term_once")
        ]
        indexes: ClassVar = [models.Index(fields=["practice", "field", "value"], name="search_term_value")]

    def __str__(self) -> str:
        return f"search term of {self.patient_id}"


class Contact(Row):
    """A number or address of a patient or of a guardian, and the language they read."""

    class Kind(models.TextChoices):
        MOBILE = "mobile", "Mobile phone"
        EMAIL = "email", "E-mail"

    class Relationship(models.TextChoices):
        SELF = "self", "The patient"
        GUARDIAN = "guardian", "Parent or guardian"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="contacts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    relationship = models.CharField(max_length=10, choices=Relationship.choices, default=Relationship.SELF)
    name = SealedText(null=True)
    value = SealedText()
    language = models.CharField(max_length=8, default="en")
    created_at = models.DateTimeField()


class ReferringDentist(Row):
    """A dentist the practice sends images to: the directory behind the share form."""

    name = SealedText()
    clinic = SealedText(null=True)
    email = SealedText(null=True)
    mobile = SealedText(null=True)
    phone = SealedText(null=True)  # of the office, to call back
    npi = SealedText(null=True)  # National Provider Identifier, 10 digits
    is_shared_mailbox = models.BooleanField(
        default=False
    )  # several people read it: who asks says who they are
    created_at = models.DateTimeField()


# --- images ------------------------------------------------------------------------------------------------------


class Study(Row):
    """Images of one DICOM study of one patient, stored once, opened by generation and manifest.

    What comes later to the same study is stored as its next `part` (docs/decisions/0005): a
    share names what was disclosed, and nothing is ever added to it from behind. `manifest_*` locate the sealed
    manifest; `manifest_sha256` (of its canonical bytes) stands in the trail too, so a swapped or older one is seen.
    """

    class State(models.TextChoices):
        STORED = "stored"
        DELETED = "deleted"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    study_instance_uid = SealedText()
    uid_index = BlindIndexField()
    part = models.PositiveIntegerField(default=1)
    title = SealedText()
    study_date = SealedDate(null=True)
    modalities = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.STORED)
    generation = models.PositiveIntegerField(default=1)
    manifest_blob = models.CharField(max_length=32)
    manifest_length = models.PositiveBigIntegerField()
    manifest_sha256 = models.CharField(max_length=64)
    file_count = models.PositiveIntegerField()
    length_bytes = models.PositiveBigIntegerField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "patient", "uid_index", "part"],
                condition=models.Q(state="stored"),
                name="study_once",
            )
        ]


class Series(Row):
    """A series of a study. How it is shown (levels, window, geometry) is in the sealed manifest."""

    class Kind(models.TextChoices):
        VOLUME = "volume"
        STACK = "stack"
        IMAGE = "image"
        OTHER = "other"  # no picture: kept, listed, downloadable

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    series_instance_uid = SealedText()
    title = SealedText()
    modality = models.CharField(max_length=16)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    position = models.PositiveIntegerField()
    frame_count = models.PositiveIntegerField()
    file_count = models.PositiveIntegerField()
    length_bytes = models.PositiveBigIntegerField()


class Instance(Row):
    """One stored DICOM file, known by its blind index; where it lies is in the sealed manifest."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    uid_index = BlindIndexField()
    position = models.PositiveIntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["practice", "uid_index"], name="instance_uid")]


# --- coming in ---------------------------------------------------------------------------------------------------


class Upload(Row):
    """What was dropped on a patient's page in one go: its files, sealed in the spool until they are ingested."""

    class State(models.TextChoices):
        RECEIVING = "receiving"
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"
        DISCARDED = "discarded"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="uploads")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVING)
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # What the desk is told about what was taken, as plain sentences without a word from the files.
    notices = models.JSONField(default=list)
    studies = models.ManyToManyField(Study, related_name="uploads")


class UploadedFile(Row):
    """One file of an upload, as a tus 1.0 resource: `offset` bytes of `length` have arrived, sealed in parts."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="files")
    name = SealedText()
    length = models.PositiveBigIntegerField()
    offset = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(offset__lte=models.F("length")), name="uploaded_file_offset"
            )
        ]


class UploadPart(models.Model):
    """A sealed part of an uploaded file: one object in the spool."""

    id = models.BigAutoField(primary_key=True)
    file = models.ForeignKey(UploadedFile, on_delete=models.CASCADE, related_name="parts")
    index = models.PositiveIntegerField()
    offset = models.PositiveBigIntegerField()
    length = models.PositiveIntegerField()
    blob = models.CharField(max_length=32)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["file", "index"], name="upload_part_index")]

    def __str__(self) -> str:
        return f"part {self.index} of {self.file_id}"


class RefusedFile(Row):
    """A file that was not taken, and why: the desk reads it beside the study."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="refused")
    name = SealedText()
    code = models.CharField(max_length=32)
    sentence = models.CharField(max_length=300)


class QuarantinedGroup(Row):
    """Files that can't simply be this chart's: kept sealed under a key of their own, never shareable."""

    class State(models.TextChoices):
        HELD = "held"
        ACCEPTED = "accepted"
        DISCARDED = "discarded"

    class Cause(models.TextChoices):
        OTHER_PATIENT = "other-patient", "The name or birth date in the files is not this patient's"
        OTHER_CHART = "other-chart", "These images are already on another patient's chart"
        OTHER_BYTES = "other-bytes", "The same image is already stored, with other content"

    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="quarantined")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="quarantined")
    cause = models.CharField(max_length=16, choices=Cause.choices)
    header = SealedJSON()  # the names and dates as the files say them, and what differs
    files = SealedJSON()  # the files' names and the extents of the originals in the pack
    pack = models.CharField(max_length=32)
    file_count = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reason = SealedText(null=True)


class VaultPack(models.Model):
    """The name of a pack that is in use: a pack of the vault without a row here is left over from a crash.

    Written in the transaction that shows the study or the quarantined group, so leftovers are found without a key.
    """

    name = models.CharField(max_length=32, primary_key=True)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, null=True, on_delete=models.PROTECT, related_name="packs")
    quarantined = models.ForeignKey(
        QuarantinedGroup, null=True, on_delete=models.PROTECT, related_name="packs"
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(study__isnull=True) ^ models.Q(quarantined__isnull=True),
                name="vault_pack_owner",
            )
        ]

    def __str__(self) -> str:
        return f"pack {self.name}"


# --- disclosures -------------------------------------------------------------------------------------------------


class Disclosure(Row):
    """A disclosure in the patient's record (45 CFR 164.528): what, to whom, why. Written once, never changed.

    It is written in the transaction that makes the share; what happens afterwards is a `DisclosureEvent`.
    """

    class Recipient(models.TextChoices):
        PATIENT = "patient", "Patient"
        GUARDIAN = "guardian", "Parent or guardian"
        DENTIST = "dentist", "Referring dentist"

    class Purpose(models.TextChoices):
        PATIENT_REQUEST = "patient-request", "The patient asked for it"
        REFERRAL = "referral", "Referral to another dentist"
        SECOND_OPINION = "second-opinion", "Second opinion"
        TREATMENT = "treatment", "Treatment together"

    class Accounting(models.TextChoices):
        """45 CFR 164.528(a)(1): which disclosures the accounting must list."""

        EXEMPT_INDIVIDUAL = "exempt-individual", "Exempt: to the individual"
        EXEMPT_TREATMENT = "exempt-treatment", "Exempt: treatment"
        EXEMPT_AUTHORIZED = "exempt-authorized", "Exempt: the individual sent it"
        ACCOUNTABLE = "accountable", "Accountable"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="disclosures")
    recipient_kind = models.CharField(max_length=10, choices=Recipient.choices)
    recipient_name = SealedText()
    recipient_address = SealedText()
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    accounting = models.CharField(max_length=20, choices=Accounting.choices)
    description = SealedText()  # which studies and series, in words
    consent = models.BooleanField()
    allows_download = models.BooleanField()
    disclosed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    disclosed_at = models.DateTimeField()
    # On whose standing a guardian got it.
    guardianship = models.ForeignKey(
        "records.Guardianship", null=True, on_delete=models.PROTECT, related_name="disclosures"
    )


class DisclosureEvent(models.Model):
    """Something that happened to a disclosure; rows are only ever added."""

    class Kind(models.TextChoices):
        QUEUED = "queued", "Queued"
        HELD = "held", "Waiting"
        SENT = "sent", "Sent"
        PRINTED = "printed", "Letter printed"
        SEND_FAILED = "send-failed", "Not sent"
        DELIVERED = "delivered", "Delivered"
        UNDELIVERED = "undelivered", "Not delivered"
        VISITED = "visited", "Link visited"  # by a person or a robot: nobody has answered yet
        OPENED = "opened", "Opened"
        LOCKED = "locked", "Locked"
        UNLOCKED = "unlocked", "Unlocked"
        VERIFIED = "verified", "Verified"
        VIEWED = "viewed", "Viewed"
        DOWNLOADED = "downloaded", "Downloaded"
        RENEWAL_ASKED = "renewal-asked", "New link asked for"
        EXPIRED = "expired", "Expired"
        REVOKED = "revoked", "Revoked"
        SUSPENDED = "suspended", "Suspended"
        RESUMED = "resumed", "No longer suspended"
        UNDONE = "undone", "Undone before it was sent"
        EXTENDED = "extended", "Extended"
        NUMBER_CHANGED = "number-changed", "Sent to another number"
        IMAGES_ADDED = "images-added", "Images added"
        IMAGES_REMOVED = "images-removed", "Images removed"
        WRONG_NUMBER = "wrong-number", "Wrong number"
        LOST_PHONE = "lost-phone", "Phone lost"

    id = models.BigAutoField(primary_key=True)
    disclosure = models.ForeignKey(Disclosure, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    at = models.DateTimeField()
    # Counts and bytes of what was released; never content.
    facts = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["disclosure", "at"], name="disclosure_event_at")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.disclosure_id}"


# Its models stand in a module of their own; whoever loads these loads those.
from portal.records import relation_rows as relation_rows  # noqa: E402
from portal.records import retention_rows as retention_rows  # noqa: E402
from portal.records import rights as rights  # noqa: E402
from portal.records import shredding_rows as shredding_rows  # noqa: E402
