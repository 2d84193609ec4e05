"""The events of the trail, each with its DICOM audit event code (PS3.15 A.5.1) for the export."""

from __future__ import annotations

from typing import Final

# name: (EventID code of DICOM PS3.15 annex A.5, what it means in words)
EVENTS: Final[dict[str, tuple[str, str]]] = {
    "practice.created": ("110100", "Practice set up"),
    "staff.added": ("110113", "Member of staff added"),
    "staff.invited": ("110113", "Invitation link made"),
    "staff.joined": ("110113", "Invitation accepted"),
    "staff.role-changed": ("110113", "Role changed"),
    "staff.deactivated": ("110113", "Member of staff deactivated"),
    "staff.activated": ("110113", "Member of staff activated again"),
    "staff.second-factor-reset": ("110113", "Second factor reset"),
    "staff.signed-in": ("110114", "Signed in"),
    "staff.sign-in-refused": ("110114", "Sign-in refused"),
    "staff.signed-out": ("110114", "Signed out"),
    "staff.second-factor-enrolled": ("110113", "Second factor enrolled"),
    "staff.recovery-code-used": ("110114", "Signed in with a recovery code"),
    "staff.recovery-codes-made": ("110113", "New recovery codes made"),
    "patient.added": ("110110", "Patient added"),
    "patient.changed": ("110110", "Patient changed"),
    "patient.searched": ("110112", "Patients searched"),
    "patient.opened": ("110110", "Patient's page opened"),
    "upload.started": ("110107", "Upload started"),
    "upload.finished": ("110107", "Upload finished"),
    "upload.discarded": ("110107", "Upload given up"),
    "upload.refused": ("110107", "File refused"),
    "study.stored": ("110107", "Study stored"),
    "study.quarantined": ("110107", "Study held in quarantine"),
    "quarantine.resolved": ("110107", "Quarantined study resolved"),
    "study.deleted": ("110105", "Study deleted"),
    "share.created": ("110106", "Share created"),
    "share.queued": ("110106", "Message queued again"),
    "share.sent": ("110104", "Message sent"),
    "share.send-failed": ("110104", "Message could not be sent"),
    "share.opened": ("110114", "Link opened"),
    "share.match-refused": ("110114", "Birth date or address did not match"),
    "share.matched": ("110114", "Birth date or address matched"),
    "share.locked": ("110113", "Share locked after too many misses"),
    "share.unlocked": ("110113", "Share unlocked by the practice"),
    "share.code-requested": ("110114", "Code requested"),
    "share.code-sent": ("110104", "Code sent"),
    "share.code-refused": ("110114", "Code refused"),
    "share.verified": ("110114", "Recipient verified"),
    "share.revoked": ("110113", "Share revoked"),
    "share.expired": ("110113", "Share expired"),
    "share.renewal-asked": ("110106", "New link asked for"),
    "share.session-ended": ("110114", "Recipient's session ended"),
    "series.opened": ("110103", "Series opened"),
    "series.closed": ("110103", "Series closed, with what was released"),
    "study.download-started": ("110106", "Download started"),
    "study.downloaded": ("110106", "Download finished"),
    "study.download-broken": ("110106", "Download ended early"),
    "access.refused": ("110113", "Access refused"),
    "audit.read": ("110101", "Trail read"),
    "vault.damaged": ("110113", "Sealed object failed its check"),
    "system.started": ("110100", "System started"),
}

Outcome = str
OK: Final = "ok"
REFUSED: Final = "refused"
FAILED: Final = "failed"
