"""What a load balancer asks: is the process alive, and can it serve?"""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portal.accounts.permissions import public
from portal.errors import Sealed
from portal.sealed.keys import provider


@public
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked, so that a slow database never gets it killed."""
    return HttpResponse("ok", content_type="text/plain")


@public
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """The database answers and the keys open: else 503, and no word about which secret is missing where."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        provider().health()
    except DatabaseError:
        return HttpResponse("The database can't be reached.", status=503, content_type="text/plain")
    except Sealed:
        return HttpResponse("The keys can't be reached.", status=503, content_type="text/plain")
    return HttpResponse("ready", content_type="text/plain")
