"""Addresses of sharing from the desk."""

from django.urls import path

from sharing import desk_views, letter_views
from sharing.views import desk_live, desk_share

urlpatterns = [
    path("patients/<uuid:patient_id>/share", desk_views.share, name="share"),
    path("patients/<uuid:patient_id>/share/text", desk_views.share_text, name="share_text"),
    path("patients/<uuid:patient_id>/shares", desk_views.shares, name="shares"),
    path("shares/<uuid:share_id>/revoke", desk_views.revoke_share, name="revoke_share"),
    path("shares/<uuid:share_id>/resend", desk_views.resend_share, name="resend_share"),
    path("shares/<uuid:share_id>/unlock", desk_views.unlock_share, name="unlock_share"),
    path("shares/<uuid:share_id>/renew", desk_views.renew_share, name="renew_share"),
    path("shares/<uuid:share_id>/letter", letter_views.letter, name="letter"),
    path("shares/", desk_live.live_shares, name="live_shares"),
    path("shares/revoke", desk_live.revoke_shares, name="revoke_shares"),
    path("shares/<uuid:share_id>/", desk_share.one_share, name="one_share"),
    path("shares/<uuid:share_id>/undo", desk_share.undo_share, name="undo_share"),
    path("shares/<uuid:share_id>/extend", desk_share.extend_share, name="extend_share"),
    path("shares/<uuid:share_id>/number", desk_share.change_share_number, name="change_share_number"),
    path("shares/<uuid:share_id>/images", desk_share.change_share_images, name="change_share_images"),
    path("shares/<uuid:share_id>/wrong-number", desk_share.wrong_number, name="wrong_number"),
    path("shares/<uuid:share_id>/corrected", desk_share.corrected_share, name="corrected_share"),
    path("shares/<uuid:share_id>/lost-phone", desk_share.lost_phone, name="lost_phone"),
    path("shares/<uuid:share_id>/evidence", desk_share.share_evidence, name="share_evidence"),
    path("tasks", desk_views.tasks, name="tasks"),
]
