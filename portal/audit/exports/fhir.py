"""The trail as FHIR R4 AuditEvents, one a line (NDJSON), in the Basic Audit Log Patterns of IHE where they fit.

An entry names a pattern only where all it asks for is known: opening a series is `PatientRead`, a recipient's download
is `PrivacyDisclosure.Source`. Every other one is a plain AuditEvent with the DICOM event code as its type.

Source: HL7 FHIR R4 AuditEvent; IHE ITI Basic Audit Log Patterns 1.1.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Final

from portal.audit.exports.told import OUTCOMES, Told

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_HL7: Final = "http://terminology.hl7.org/CodeSystem"
_PROFILE: Final = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit"
_DOWNLOADS: Final = frozenset({"study.downloaded", "study.download-started"})


def lines(entries: Iterable[Told], *, origin: str) -> Iterator[bytes]:
    """A resource a line. `origin` is this installation's address."""
    for told in entries:
        yield json.dumps(resource(told, origin=origin), ensure_ascii=False).encode() + b"\n"


def resource(told: Told, *, origin: str) -> dict[str, Any]:
    """The entry as an AuditEvent; its id is the same at every export."""
    event = {
        "resourceType": "AuditEvent",
        "id": str(uuid.uuid5(told.practice, str(told.n))),
        "type": _coding(DCM, told.dicom_event),
        "subtype": [_coding("urn:scanpass:event", told.code, told.words)],
        "action": told.action,
        "recorded": told.at.isoformat(timespec="milliseconds"),
        "outcome": OUTCOMES[told.outcome],
        "agent": [_user(told)],
        "source": {"site": str(told.practice), "observer": _ourselves(origin), "type": [_coding(
            f"{_HL7}/security-source-type", "4", "Application Server")]},
        "entity": _entities(told),
    }  # fmt: skip
    if _is_read(told):
        return _as_patient_read(event, told, origin)
    return _as_disclosure(event, told, origin) if _is_disclosure(told) else event


# --- the patterns --------------------------------------------------------------------------------------------------


def _is_read(told: Told) -> bool:
    known = told.patient and told.study and told.address and told.session
    return told.code == "series.opened" and told.outcome == "ok" and bool(known)


def _as_patient_read(event: dict[str, Any], told: Told, origin: str) -> dict[str, Any]:
    rest = [_coding("http://hl7.org/fhir/restful-interaction", "read"), *event["subtype"]]
    user = {**_user(told), "type": _concept(f"{_HL7}/v3-ParticipationType", "IRCP", "information recipient")}
    return {
        **event,
        "meta": {"profile": [f"{_PROFILE}.PatientRead"]},
        "type": _coding(f"{_HL7}/audit-event-type", "rest"),
        "subtype": rest,
        "agent": [_client(told), _server(origin), user],
    }


def _is_disclosure(told: Told) -> bool:
    known = told.patient and told.study and told.address
    return told.code in _DOWNLOADS and told.kind == "recipient" and told.outcome == "ok" and bool(known)


def _as_disclosure(event: dict[str, Any], told: Told, origin: str) -> dict[str, Any]:
    recipient = {**_client(told), "who": _identifier(told.actor, told.name), "requestor": True}
    return {
        **event,
        "meta": {"profile": [f"{_PROFILE}.PrivacyDisclosure.Source"]},
        "subtype": [_coding(f"{_HL7}/iso-21089-lifecycle", "disclose"), *event["subtype"]],
        "agent": [_server(origin), recipient],
    }


# --- the pieces ----------------------------------------------------------------------------------------------------


def _user(told: Told) -> dict[str, Any]:
    user: dict[str, Any] = {
        "who": _identifier(told.actor or told.kind, told.name or told.kind),
        "requestor": True,
    }
    if told.name:
        user["name"] = told.name
    if told.role:
        user["role"] = [{"text": told.role.replace("_", " ")}]
    return user


def _client(told: Told) -> dict[str, Any]:
    """The browser, known by its session and its network address."""
    network = {"address": told.address, "type": "2"}
    who = _identifier(told.session, "browser session")
    return {
        "type": _concept(DCM, "110152", "Destination Role ID"),
        "who": who,
        "requestor": False,
        "network": network,
    }


def _server(origin: str) -> dict[str, Any]:
    network = {"address": origin, "type": "5"}
    role = _concept(DCM, "110153", "Source Role ID")
    return {"type": role, "who": _ourselves(origin), "requestor": False, "network": network}


def _entities(told: Told) -> list[dict[str, Any]]:
    entities = []
    if told.patient:
        entities.append(_entity("1", "1", "Patient", told.patient))
    for kind, value in (("ImagingStudy", told.study), ("Consent", told.share)):
        if value:
            entities.append(_entity("2", "4", kind, value))
    details = {
        name: str(value) for name, value in {"series": told.series, **told.facts}.items() if value != ""
    }
    if entities and details:
        entities[-1]["detail"] = [{"type": name, "valueString": value} for name, value in details.items()]
    return entities


def _entity(kind: str, role: str, resource_type: str, value: str) -> dict[str, Any]:
    return {
        "what": {"type": resource_type, **_identifier(value)},
        "type": _coding(f"{_HL7}/audit-entity-type", kind),
        "role": _coding(f"{_HL7}/object-role", role),
    }


def _ourselves(origin: str) -> dict[str, Any]:
    return {"identifier": {"value": origin}, "display": "Scanpass"}


def _identifier(value: str, display: str = "") -> dict[str, Any]:
    try:
        identifier = {"system": "urn:ietf:rfc:3986", "value": uuid.UUID(value).urn}
    except ValueError:
        identifier = {"value": value}
    return {"identifier": identifier, **({"display": display} if display else {})}


def _coding(system: str, code: str, display: str = "") -> dict[str, str]:
    return {"system": system, "code": code, **({"display": display} if display else {})}


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [_coding(system, code, display)]}
