"""Chairside: the screen is with the patient, and opens this one study and nothing else until staff prove themselves.

A tablet is handed over, a monitor is turned round: no list of patients, no other name, no way back without a code.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from portal.audit import trail
from portal.audit.actor import Actor
from portal.errors import FreshCodeRequired

_STUDY: Final = "chairside"
# Beside the study's own addresses: staying awake, proving who one is, and signing out.
_OPEN: Final = frozenset(
    {"stay", "idled_out", "confirm", "confirm_options", "confirm_with_passkey", "sign_out"}
)
# Addresses of the study that are no business of the patient's hands.
_STAFFS_OWN: Final = frozenset({"desk_study_download", "desk_hand_over"})
SENTENCE: Final = "This screen is with a patient. To go on, give a code of your app."


def begin(request: HttpRequest, study: Any, *, actor: Actor) -> None:
    """Hand the screen over with this study of the practice's; the caller has let the actor through the gate."""
    trail.record("chairside.begun", actor=actor, patient=study.patient_id, study=study.pk)
    request.session[_STUDY] = str(study.pk)


def is_chairside(request: HttpRequest) -> bool:
    """Whether this screen is with a patient."""
    return _STUDY in request.session


def check(request: HttpRequest, place: dict[str, Any]) -> None:
    """Raise `FreshCodeRequired` for every address but those of the study; `place` are the address's own parts."""
    handed = request.session.get(_STUDY)
    if handed is None:
        return
    name = request.resolver_match.view_name if request.resolver_match else ""
    is_own = name.startswith("desk_") and name not in _STAFFS_OWN and str(place.get("study")) == handed
    if not is_own and name not in _OPEN:
        raise FreshCodeRequired(SENTENCE, next=reverse("confirm"))


def end(request: HttpRequest, *, actor: Actor) -> None:
    """Somebody of the staff has proved themselves: the screen is the desk's again."""
    if request.session.pop(_STUDY, None):
        trail.record_alone("chairside.ended", actor=actor)
