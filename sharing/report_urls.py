"""Addresses for vendors' reports. They are given to vendors, so they never change."""

from django.urls import path

from sharing.views import reports

urlpatterns = [
    path("webhook", reports.webhook_report, name="webhook_report"),
    path("twilio/reply", reports.twilio_reply, name="twilio_reply"),
    path("twilio/<uuid:message_id>", reports.twilio_report, name="twilio_report"),
    path("twilio/<uuid:message_id>/pressed", reports.twilio_pressed, name="twilio_pressed"),
    path("twilio/<uuid:message_id>/call", reports.twilio_call, name="twilio_call"),
    path("aws", reports.aws_report, name="aws_report"),
]
