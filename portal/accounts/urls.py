"""Addresses of signing in and out, and of the reader's language."""

from django.urls import path

from portal.accounts import language, passkey_views, views

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
    path("account/idled-out", views.idled_out, name="idled_out"),
    path("sign-in/passkey/options", passkey_views.passkey_options, name="passkey_options"),
    path("sign-in/passkey", passkey_views.give_passkey, name="give_passkey"),
    path("account/confirm/passkey/options", passkey_views.confirm_options, name="confirm_options"),
    path("account/confirm/passkey", passkey_views.confirm_with_passkey, name="confirm_with_passkey"),
    path("account/passkeys/options", passkey_views.new_passkey_options, name="new_passkey_options"),
    path("account/passkeys/new", passkey_views.add_passkey, name="add_passkey"),
    path("account/passkeys/<int:passkey_id>/remove", passkey_views.remove_passkey, name="remove_passkey"),
    path("language", language.choose_language, name="choose_language"),
]
