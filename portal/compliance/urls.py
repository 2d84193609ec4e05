"""The addresses of the Compliance pages."""

from django.urls import path

from portal.compliance import connections, views

urlpatterns = [
    path("", views.compliance, name="compliance"),
    path("connections", connections.connections, name="connections"),
]
