"""Every address of the site. Each app lists its own; a test walks them all."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    # First, because addresses are tried in this order and the frames are asked for the most.
    path("", include("viewer.urls")),
    path("", include("portal.accounts.urls")),
    path("", include("portal.practice.urls")),
    path("", include("portal.health_urls")),
    path("desk/compliance/", include("portal.compliance.urls")),
    path("desk/", include("portal.records.urls")),
    path("desk/", include("sharing.desk_urls")),
    path("s/", include("sharing.urls")),
    path("messages/", include("sharing.report_urls")),
    path("demo/", include("portal.demo.urls")),
]

handler400 = "portal.problems.bad_request"
handler403 = "portal.problems.forbidden"
handler404 = "portal.problems.not_found"
handler500 = "portal.problems.server_error"
