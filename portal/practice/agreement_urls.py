"""Addresses of the business associates and their agreements."""

from django.urls import path

from portal.practice import agreement_views as views

urlpatterns = [
    path("", views.agreements, name="agreements"),
    path("new", views.new_associate, name="new_associate"),
    path("<uuid:associate_id>/", views.associate, name="associate"),
    path("<uuid:associate_id>/agreements", views.add_agreement, name="add_agreement"),
    path(
        "<uuid:associate_id>/agreements/<uuid:agreement_id>/document",
        views.agreement_document,
        name="agreement_document",
    ),
    path("<uuid:associate_id>/agreements/<uuid:agreement_id>/end", views.end_agreement, name="end_agreement"),
]
