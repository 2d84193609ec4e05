"""The WSGI entry for granian."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

# Read here, so that a missing secret ends the start and not the first sign-in.
_ = settings.SECRET_KEY
