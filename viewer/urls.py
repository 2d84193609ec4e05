"""Every address of pixels, once at the recipient's door and once at the staff's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path

from portal.accounts.permissions import Action, may, recipient
from viewer import views

View = Callable[..., HttpResponseBase]


def at_both_doors(
    route: str, view: View, name: str, *, action: Action = Action.VIEW_IMAGES
) -> list[URLPattern]:
    """`/studies/<study>/<route>` with a share session, `/desk/studies/<study>/<route>` for staff who may `action`."""
    return [
        path(f"studies/<uuid:study>/{route}", recipient(_entrance(view)), name=name),
        path(f"desk/studies/<uuid:study>/{route}", may(action)(_entrance(view)), name=f"desk_{name}"),
    ]


def _entrance(view: View) -> View:
    """The view as a function of its own, for a door is written on the function."""

    @wraps(view)
    def entrance(request: HttpRequest, **place: Any) -> HttpResponseBase:
        return view(request, **place)

    return entrance


urlpatterns = [
    *at_both_doors(
        "series/<uuid:series>/levels/<int:level>/frames/<str:ranges>", views.frames, "series_frames"
    ),
    *at_both_doors("levels/<int:level>/frames/<str:ranges>", views.frames, "study_frames"),
    *at_both_doors("heartbeat", views.heartbeat, "study_heartbeat"),
    *at_both_doors("manifest.json", views.manifest, "study_manifest"),
    *at_both_doors("series/<uuid:series>/previews/<str:view>", views.preview, "series_preview"),
    *at_both_doors("previews/<str:view>", views.preview, "study_preview"),
    *at_both_doors("series/<uuid:series>/slices/<int:index>.webp", views.slice_picture, "series_slice"),
    *at_both_doors("download", views.download, "study_download", action=Action.DOWNLOAD),
    path(
        "desk/studies/<uuid:study>/chairside", may(Action.VIEW_IMAGES)(views.hand_over), name="desk_hand_over"
    ),
    path("desk/studies/<uuid:study>/", may(Action.VIEW_IMAGES)(views.desk_page), name="desk_study"),
]
