"""An entry as a DICOM audit message: the XML that image archives write, for the collector they write it to.

Names are left out: the collector gets ids, and who may know a name asks the practice.

Source: DICOM PS3.15 A.5.1 (schema), A.5.3 (messages by event), A.6 (transport by syslog).
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from portal.audit.exports.told import OUTCOMES, Told

EVENT_NAMES: Final = {
    "110100": "Application Activity",
    "110101": "Audit Log Used",
    "110103": "DICOM Instances Accessed",
    "110104": "DICOM Instances Transferred",
    "110105": "DICOM Study Deleted",
    "110106": "Export",
    "110107": "Import",
    "110110": "Patient Record",
    "110112": "Query",
    "110113": "Security Alert",
    "110114": "User Authentication",
}
# ParticipantObjectTypeCode and ...Role: 1/1 person/patient, 2/3 system object/report, 2/13 .../security resource.
_PATIENT: Final = ("1", "1", "2", "RFC-3881", "Patient Number")
_STUDY: Final = ("2", "3", "110180", "DCM", "Study Instance UID")
_SHARE: Final = ("2", "13", "12", "RFC-3881", "URI")


def message(told: Told, *, origin: str) -> bytes:
    """The AuditMessage of one entry. A study is named by a UID made from its id, so no UID of a file gets out."""
    root = Element("AuditMessage")
    event = SubElement(
        root,
        "EventIdentification",
        EventActionCode=told.action,
        EventDateTime=told.at.isoformat(timespec="milliseconds"),
        EventOutcomeIndicator=OUTCOMES[told.outcome],
    )
    _coded(event, "EventID", told.dicom_event, "DCM", EVENT_NAMES[told.dicom_event])
    _coded(event, "EventTypeCode", told.code, "scanpass", told.words)
    _participants(root, told, origin)
    SubElement(
        root, "AuditSourceIdentification", AuditEnterpriseSiteID=str(told.practice), AuditSourceID=origin
    )
    for value, kind in ((told.patient, _PATIENT), (_uid(told.study), _STUDY), (told.share, _SHARE)):
        if value:
            _object(root, value, kind)
    return tostring(root, encoding="utf-8", xml_declaration=True)


def _participants(root: Element, told: Told, origin: str) -> None:
    asks = SubElement(root, "ActiveParticipant", UserID=told.actor or told.kind, UserIsRequestor="true")
    if told.session:
        asks.set("AlternativeUserID", told.session)
    if told.address:
        # 2: an IP address.
        asks.set("NetworkAccessPointID", told.address)
        asks.set("NetworkAccessPointTypeCode", "2")
    _coded(asks, "RoleIDCode", "110152", "DCM", "Destination Role ID")
    if told.role:
        _coded(asks, "RoleIDCode", told.role, "scanpass", told.role.replace("_", " "))
    ours = SubElement(root, "ActiveParticipant", UserID=origin, UserIsRequestor="false")
    _coded(ours, "RoleIDCode", "110150", "DCM", "Application")


def _object(root: Element, value: str, kind: tuple[str, str, str, str, str]) -> None:
    type_code, role, code, system, words = kind
    found = SubElement(
        root,
        "ParticipantObjectIdentification",
        ParticipantObjectID=value,
        ParticipantObjectTypeCode=type_code,
        ParticipantObjectTypeCodeRole=role,
    )
    _coded(found, "ParticipantObjectIDTypeCode", code, system, words)
    # The schema asks for a name or a query; the name is the id again.
    SubElement(found, "ParticipantObjectName").text = value


def _coded(parent: Element, tag: str, code: str, system: str, words: str) -> None:
    SubElement(parent, tag, {"csd-code": code, "codeSystemName": system, "originalText": words})


def _uid(study: str) -> str:
    """DICOM PS3.5 B.2: a UUID as a UID."""
    return f"2.25.{int(study.replace('-', ''), 16)}" if study else ""
