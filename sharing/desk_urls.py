"""Addresses of sharing from the desk."""

from django.urls import path

from sharing import desk_views, letter_views, request_views, rights_views
from sharing.views import desk_batch, desk_live, desk_messages, desk_numbers, desk_share, desk_shredding

urlpatterns = [
    path("patients/<uuid:patient_id>/share", desk_views.share, name="share"),
    path("patients/<uuid:patient_id>/share/text", desk_views.share_text, name="share_text"),
    path("patients/<uuid:patient_id>/shares", desk_views.shares, name="shares"),
    path("shares/<uuid:share_id>/revoke", desk_views.revoke_share, name="revoke_share"),
    path("shares/<uuid:share_id>/resend", desk_views.resend_share, name="resend_share"),
    path("shares/<uuid:share_id>/unlock", desk_views.unlock_share, name="unlock_share"),
    path("shares/<uuid:share_id>/renew", desk_views.renew_share, name="renew_share"),
    path("patients/<uuid:patient_id>/requests", request_views.new_request, name="new_request"),
    path("requests/", request_views.access_requests, name="access_requests"),
    path("requests/<uuid:request_id>/fulfil", request_views.fulfil_request, name="fulfil_request"),
    path("requests/<uuid:request_id>/refuse", request_views.refuse, name="refuse_request"),
    path("requests/<uuid:request_id>/extend", request_views.extend, name="extend_request"),
    path("patients/<uuid:patient_id>/rights", rights_views.rights, name="rights"),
    path("patients/<uuid:patient_id>/guardians", rights_views.new_guardian, name="new_guardian"),
    path("guardians/<uuid:guardian_id>/end", rights_views.end_guardian, name="end_guardian"),
    path("patients/<uuid:patient_id>/holds", rights_views.new_hold, name="new_hold"),
    path("holds/<uuid:hold_id>/lift", rights_views.lift_hold, name="lift_hold"),
    path("holds/<uuid:hold_id>/permit", rights_views.permit_hold, name="permit_hold"),
    path("shares/<uuid:share_id>/letter", letter_views.letter, name="letter"),
    path("patients/<uuid:patient_id>/number", desk_numbers.number_standing, name="number_standing"),
    path("patients/<uuid:patient_id>/number/check", desk_numbers.ask_read_back, name="ask_read_back"),
    path("number-checks/<uuid:check_id>", desk_numbers.read_back_state, name="read_back_state"),
    path("number-checks/<uuid:check_id>/code", desk_numbers.give_read_back, name="give_read_back"),
    path("batch", desk_batch.batch, name="batch"),
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
    path("messages/<uuid:message_id>/now", desk_messages.send_message_now, name="send_message_now"),
    path("tasks", desk_views.tasks, name="tasks"),
    path("destruction/", desk_shredding.shreddings, name="shreddings"),
    path("studies/<uuid:study_id>/destroy", desk_shredding.ask_shredding, name="ask_shredding"),
    path("destruction/<uuid:shredding_id>/agree", desk_shredding.agree_shredding, name="agree_shredding"),
    path(
        "destruction/<uuid:shredding_id>/withdraw",
        desk_shredding.withdraw_shredding,
        name="withdraw_shredding",
    ),
    path(
        "destruction/<uuid:shredding_id>/certificate",
        desk_shredding.shred_certificate,
        name="shred_certificate",
    ),
]
