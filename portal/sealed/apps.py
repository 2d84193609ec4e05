from django.apps import AppConfig


class SealedConfig(AppConfig):
    name = "portal.sealed"
    label = "sealed"
