"""The address of the Compliance page."""

from django.urls import path

from portal.compliance import views

urlpatterns = [path("", views.compliance, name="compliance")]
