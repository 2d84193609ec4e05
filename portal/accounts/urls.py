"""Addresses of signing in and out, and of the reader's language."""

from django.urls import path

from portal.accounts import language, views

urlpatterns = [
    path("", views.sign_in, name="sign_in"),
    path("sign-in/code", views.give_code, name="second_factor"),
    path("sign-in/app", views.enrol, name="enrol"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("home", views.home, name="home"),
    path("account/", views.account, name="account"),
    path("account/recovery-codes", views.new_recovery_codes, name="new_recovery_codes"),
    path("account/confirm", views.confirm, name="confirm"),
    path("account/password", views.change_password, name="change_password"),
    path("account/sessions/end", views.end_other_sessions, name="end_other_sessions"),
    path("account/stay", views.stay, name="stay"),
    path("language", language.choose_language, name="choose_language"),
]
