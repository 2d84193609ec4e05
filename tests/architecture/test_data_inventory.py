"""R1: what is kept in plain is on a list, with its reason; anything else that could hold a name must be sealed.

A new column of free text, a date, bytes or JSON fails this test until it is sealed or named here.
"""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps
from django.db import models

from portal.sealed.fields import BlindIndexField, SealedText

HASH, RANDOM, WORD, OURS = "a keyed hash", "a random name", "a short word of ours", "our own sentence"
STAFF, PRACTICE, VENDOR, DAY = "of staff", "of the practice, public", "of a vendor", "a day of no treatment"
WRAPPED, BOUND = "a wrapped key", "sealed inside; the rest ids, times and words of ours"

PLAIN: Final[dict[str, dict[str, str]]] = {
    "sealed.PracticeKey": {"wrapped": WRAPPED},
    "sealed.StudyKey": {"wrapped": WRAPPED},
    "audit.AuditEntry": {"code": WORD, "outcome": WORD, "event": BOUND, "previous": HASH, "hash": HASH},
    "audit.AuditHead": {"hash": HASH},
    "audit.Checkpoint": {"note": "heads of chains, signed"},
    "audit.CheckpointPlace": {"name": "a place of ours", "failure": OURS},
    "jobs.Job": {"kind": WORD, "failure": OURS},
    "accounts.User": {"password": "an Argon2 hash", "email": STAFF, "name": STAFF},
    "accounts.TotpDevice": {"name": WORD},
    "accounts.RecoveryDevice": {"name": WORD},
    "accounts.RecoveryCode": {"code_hmac": HASH},
    "accounts.SignInThrottle": {"subject": HASH},
    "accounts.KnownBrowser": {"name_hmac": HASH},
    "accounts.OwnerLink": {"token_hmac": HASH},
    "practice.Practice": {"name": PRACTICE, "phone": PRACTICE, "time_zone": PRACTICE, "language": PRACTICE},
    "practice.Location": {"name": PRACTICE},
    "practice.Invitation": {"token_hmac": HASH},
    "practice.BusinessAssociate": {
        "name": VENDOR, "adapter": VENDOR, "stored_where": VENDOR, "encryption": VENDOR, "access_controls": VENDOR,
    },
    "practice.Agreement": {
        "signed_on": VENDOR, "starts_on": VENDOR, "ends_on": VENDOR, "terminated_on": VENDOR, "document_sha256": HASH,
    },
    "records.Patient": {"language": "which of the languages"},
    "records.Contact": {"language": "which of the languages"},
    "records.Study": {"modalities": "codes of DICOM", "manifest_blob": RANDOM, "manifest_sha256": HASH},
    "records.Series": {"modality": "a code of DICOM"},
    "records.Upload": {"notices": OURS},
    "records.UploadPart": {"blob": RANDOM},
    "records.RefusedFile": {"code": WORD, "sentence": OURS},
    "records.QuarantinedGroup": {"pack": RANDOM},
    "records.VaultPack": {"name": RANDOM},
    "records.DisclosureEvent": {"facts": "counts and words of ours"},
    "records.AccessRequest": {"received_on": DAY, "due_on": DAY},
    "backups.Run": {"sentence": OURS, "facts": "counts, ids and seconds"},
    "sharing.Share": {"language": "which of the languages", "token_hmac": HASH, "suspended_for": WORD},
    "sharing.ShareSession": {"key_hmac": HASH},
    "sharing.Challenge": {"code_hmac": HASH},
    "sharing.Message": {"gateway": VENDOR, "vendor_reference": "the vendor's number", "trouble": WORD, "failure": OURS},
    "sharing.OptOut": {"subject": HASH},
    "sharing.Turn": {"gateway": VENDOR},
    "sharing.SendCount": {"subject": HASH, "window": WORD},
    "sharing.Tally": {"staff_session": HASH},
    "sharing.Download": {"staff_session": HASH, "etag": HASH},
    "sharing.ReadBack": {"language": "which of the languages", "code_hmac": HASH, "failure": OURS},
    "sharing.DeskCode": {"link_hmac": HASH, "code_hmac": HASH},
}  # fmt: skip
_COULD_HOLD_A_NAME: Final = (
    models.CharField, models.TextField, models.JSONField, models.BinaryField, models.FileField, models.DateField,
)  # fmt: skip
OURS_ONLY: Final = ("portal.", "sharing.", "viewer.")


def _plain(model: type[models.Model]) -> set[str]:
    return {field.name for field in model._meta.local_fields if _is_plain(field)}


def _is_plain(field: models.Field[Any, Any]) -> bool:
    if isinstance(field, SealedText | BlindIndexField | models.DateTimeField):
        return False
    # A choice among words of ours holds one of them, and a constraint or a form keeps to it.
    return isinstance(field, _COULD_HOLD_A_NAME) and not field.choices


def test_r1_every_plain_column_is_on_the_list_with_its_reason() -> None:
    found = {
        model._meta.label: plain
        for model in apps.get_models()
        if model.__module__.startswith(OURS_ONLY) and (plain := _plain(model))
    }
    assert found == {label: set(columns) for label, columns in PLAIN.items()}


def test_r1_who_the_patient_is_stands_in_no_plain_column() -> None:
    patient = apps.get_model("records", "Patient")
    sealed = {field.name for field in patient._meta.local_fields if isinstance(field, SealedText)}
    assert {"family_name", "given_name", "birthdate", "chart_number"} <= sealed


def test_r1_an_unsealed_column_would_be_found() -> None:
    class Planted(models.Model):
        nickname = models.CharField(max_length=40)
        sealed_one = SealedText()

        class Meta:
            app_label = "records"
            managed = False

    try:
        assert _plain(Planted) == {"nickname"}
    finally:
        # Taken off the list again: other tests walk all models.
        del apps.all_models["records"]["planted"]
        apps.clear_cache()
