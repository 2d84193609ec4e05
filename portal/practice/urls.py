"""Addresses of setting up the practice."""

from django.urls import path

from portal.practice import views

urlpatterns = [path("setup/", views.set_up_practice, name="set_up_practice")]
