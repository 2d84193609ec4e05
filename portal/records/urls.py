"""Addresses of the desk: patients, uploads, quarantine."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("portal.records.upload_urls")),
]
