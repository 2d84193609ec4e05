"""Every address of the site. Each app lists its own; a test walks them all."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("portal.accounts.urls")),
    path("", include("portal.practice.urls")),
    path("", include("portal.health_urls")),
    path("desk/", include("portal.records.urls")),
    path("desk/", include("sharing.desk_urls")),
    path("s/", include("sharing.urls")),
    path("", include("viewer.urls")),
    path("demo/", include("portal.demo.urls")),
]

handler404 = "portal.middleware.not_found"
handler500 = "portal.middleware.server_error"
handler400 = "portal.middleware.bad_request"
