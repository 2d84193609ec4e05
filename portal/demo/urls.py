"""Addresses of the demo."""

from django.urls import path

from portal.demo.views import outbox

urlpatterns = [path("outbox", outbox, name="demo_outbox")]
