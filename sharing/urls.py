"""The recipient's addresses. None of them says anything about whose scan it is."""

from __future__ import annotations

from django.urls import path

from sharing.views import ended, inside, landing, passing_on, steps

urlpatterns = [
    path("", landing.landing, name="share_landing"),
    path("paste", landing.paste, name="share_paste"),
    path("open", landing.open_share, name="share_open"),
    path("birthdate", steps.birthdate, name="share_birthdate"),
    path("address", steps.address, name="share_address"),
    path("colleague", steps.colleague, name="share_colleague"),
    path("code", steps.code, name="share_code"),
    path("code/call", steps.call, name="share_call"),
    path("code/news", steps.code_news, name="share_code_news"),
    path("code/verify", steps.verify, name="share_verify"),
    path("slip", steps.slip, name="share_slip"),
    path("ended", ended.ended, name="share_ended"),
    path("renew", ended.renew, name="share_renew"),
    path("view", inside.view, name="share_view"),
    path("studies.json", inside.studies, name="share_studies"),
    path("activity", inside.activity, name="share_activity"),
    path("dentist", passing_on.pass_on, name="share_pass_on"),
    path("dentist/<uuid:share_id>/end", passing_on.end_passed_on, name="share_end_passed_on"),
    path("files", inside.files, name="share_files"),
    path("end", inside.end, name="share_end"),
    path("done", inside.done, name="share_done"),
]
