"""Addresses of the demo."""

from django.urls import path

from portal.demo.views import outbox, walk

urlpatterns = [
    path("", walk, name="demo_walk"),
    path("outbox", outbox, name="demo_outbox"),
]
