"""Addresses of setting up the practice, and of its staff."""

from django.urls import URLPattern, URLResolver, include, path

from portal.practice import staff_views, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("setup/", views.set_up_practice, name="set_up_practice"),
    path("invitation/", views.join, name="join"),
    path("desk/agreements/", include("portal.practice.agreement_urls")),
    path("desk/staff/", staff_views.staff, name="staff"),
    path("desk/staff/new", staff_views.new_member, name="new_member"),
    path("desk/staff/<uuid:member_id>/", staff_views.member, name="member"),
    path("desk/staff/<uuid:member_id>/role", staff_views.change_role, name="change_role"),
    path("desk/staff/<uuid:member_id>/invitation", staff_views.new_invitation, name="new_invitation"),
    path("desk/staff/<uuid:member_id>/deactivate", staff_views.deactivate_member, name="deactivate_member"),
    path("desk/staff/<uuid:member_id>/activate", staff_views.activate_member, name="activate_member"),
    path("desk/staff/<uuid:member_id>/password", staff_views.reset_password, name="reset_password"),
    path(
        "desk/staff/<uuid:member_id>/second-factor",
        staff_views.reset_second_factor,
        name="reset_second_factor",
    ),
]
