"""Addresses of sharing from the desk."""

from django.urls import path

from sharing import desk_views

urlpatterns = [
    path("patients/<uuid:patient_id>/share", desk_views.share, name="share"),
    path("patients/<uuid:patient_id>/share/text", desk_views.share_text, name="share_text"),
    path("patients/<uuid:patient_id>/shares", desk_views.shares, name="shares"),
    path("shares/<uuid:share_id>/revoke", desk_views.revoke_share, name="revoke_share"),
    path("shares/<uuid:share_id>/resend", desk_views.resend_share, name="resend_share"),
    path("shares/<uuid:share_id>/unlock", desk_views.unlock_share, name="unlock_share"),
    path("shares/<uuid:share_id>/renew", desk_views.renew_share, name="renew_share"),
    path("tasks", desk_views.tasks, name="tasks"),
]
