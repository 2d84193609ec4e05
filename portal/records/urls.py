"""Addresses of the desk: patients, uploads, quarantine, the trail."""

from django.urls import URLPattern, URLResolver, include, path

from portal.records.views import (
    accounting,
    desk,
    patients,
    quarantine,
    record,
    relation,
    retention,
    timeline,
    trail,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", desk.desk, name="desk"),
    path("find", desk.find, name="find"),
    path("arriving", desk.arriving, name="arriving"),
    path("patients/new", patients.new_patient, name="new_patient"),
    path("patients/<uuid:patient_id>/", patients.patient, name="patient"),
    path("patients/<uuid:patient_id>/correct", patients.correct_patient, name="correct_patient"),
    path("patients/<uuid:patient_id>/record", record.record, name="record"),
    path("patients/<uuid:patient_id>/accounting", accounting.accounting, name="accounting"),
    path("patients/<uuid:patient_id>/timeline", timeline.timeline, name="timeline"),
    path("patients/<uuid:patient_id>/why", relation.break_glass, name="break_glass"),
    path("patients/<uuid:patient_id>/legal-hold", retention.legal_holds, name="legal_holds"),
    path("legal-holds/<uuid:legal_hold_id>/lift", retention.lift_legal_hold, name="lift_legal_hold"),
    path("retention/", retention.retention, name="retention"),
    path("retention/years", retention.keep_years, name="keep_years"),
    path("retention/ask", retention.ask_retention, name="ask_retention"),
    path("quarantine/", quarantine.quarantine, name="quarantine"),
    path("quarantine/<uuid:group_id>/discard", quarantine.discard_group, name="discard_group"),
    path("quarantine/<uuid:group_id>/accept", quarantine.accept_group, name="accept_group"),
    path("trail/", trail.trail, name="trail"),
    path("trail/export", trail.export_trail, name="export_trail"),
    path("trail/activity", trail.activity, name="activity"),
    path("trail/activity/sign", trail.sign_activity, name="sign_activity"),
    path("", include("portal.records.upload_urls")),
]
