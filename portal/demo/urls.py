"""Addresses (filled by the app that owns them)."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
