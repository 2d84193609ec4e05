"""Addresses of uploading, under /desk/."""

from django.urls import path

from portal.records import upload_views as views

urlpatterns = [
    path("patients/<uuid:patient_id>/uploads", views.uploads, name="uploads"),
    path("uploads/<uuid:upload_id>/files", views.files, name="upload_files"),
    path("uploads/<uuid:upload_id>/files/<uuid:file_id>", views.file, name="upload_file"),
    path("uploads/<uuid:upload_id>/finish", views.finish, name="upload_finish"),
    path("uploads/<uuid:upload_id>/status", views.status, name="upload_status"),
]
