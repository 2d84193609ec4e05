"""Where vendors report: public addresses that believe nothing but a signature.

They come from outside and hold no session, so there is no cookie a forged request could ride on. What is refused
answers 403 and tells nothing; what was told already is told again without harm.
"""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from portal.accounts.permissions import public
from portal.errors import AccessDenied, InvalidInput
from sharing import reports
from sharing.gateways import aws, sns, twilio, twilio_voice, webhook
from sharing.gateways.signature import is_signed
from sharing.opted_out import hear
from sharing.speak import speak

_LOST: Final = frozenset({"undelivered", "failed"})


# --- the practice's own gateway ------------------------------------------------------------------------------------


@public
@csrf_exempt
@require_POST
def webhook_report(request: HttpRequest) -> HttpResponse:
    """`{"id", "status", "reason"}` about a message, or `{"from", "text"}` that somebody wrote back.

    `{"id", "pressed"}` about a call has an answer: what the voice says now.
    """
    if not is_signed(request.headers, request.body):
        raise AccessDenied
    told = _document(request.body)
    if "from" in told:
        hear(str(told["from"]), str(told.get("text", "")))
    elif "pressed" in told:
        spoken = speak(_id(told.get("id")), key=str(told["pressed"]), gateway="webhook")
        return JsonResponse({"body": spoken.words, "language": spoken.language})
    elif told.get("status") == "delivered":
        reports.delivered(_id(told.get("id")), gateway="webhook")
    elif told.get("status") in _LOST:
        reports.undelivered(_id(told.get("id")), webhook.reason(told.get("reason")), gateway="webhook")
    return HttpResponse(status=204)


# --- Twilio --------------------------------------------------------------------------------------------------------


@public
@csrf_exempt
@require_POST
def twilio_report(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """How far one text has come."""
    fields = _signed_by_twilio(request)
    status = fields.get("MessageStatus", "")
    if status == "delivered":
        reports.delivered(message_id, gateway="twilio")
    elif status in _LOST:
        reports.undelivered(message_id, twilio.trouble_of(fields.get("ErrorCode", "")), gateway="twilio")
    return HttpResponse(status=204)


@public
@csrf_exempt
@require_POST
def twilio_pressed(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Somebody took the call and pressed a key: what the voice says now, the code where it was the right one."""
    fields = _signed_by_twilio(request)
    spoken = speak(message_id, key=fields.get("Digits", ""), gateway="twilio")
    return HttpResponse(twilio_voice.said(spoken.words, spoken.language), content_type="text/xml")


@public
@csrf_exempt
@require_POST
def twilio_call(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """How a call ended. One whose code was heard is delivered already, and stays so."""
    trouble = twilio_voice.ENDINGS.get(_signed_by_twilio(request).get("CallStatus", ""))
    if trouble is not None:
        reports.undelivered(message_id, trouble, gateway="twilio")
    return HttpResponse(status=204)


@public
@csrf_exempt
@require_POST
def twilio_reply(request: HttpRequest) -> HttpResponse:
    """What somebody wrote back. Twilio answers STOP and HELP itself, so we say nothing."""
    fields = _signed_by_twilio(request)
    hear(fields.get("From", ""), fields.get("OptOutType") or fields.get("Body", ""))
    return HttpResponse("<Response/>", content_type="text/xml")


def _signed_by_twilio(request: HttpRequest) -> dict[str, str]:
    # The address as the vendor was given it: behind a proxy the request itself has seen another one.
    url = f"{settings.PUBLIC_BASE_URL}{request.get_full_path()}"
    pairs = [(name, value) for name, values in request.POST.lists() for value in values]
    if not twilio.is_signed(url, pairs, request.headers.get("X-Twilio-Signature", "")):
        raise AccessDenied
    return dict(pairs)


# --- AWS -----------------------------------------------------------------------------------------------------------


@public
@csrf_exempt
@require_POST
def aws_report(request: HttpRequest) -> HttpResponse:
    """A message of the topic: its subscription, an event about a text, or what somebody wrote back."""
    envelope = _document(request.body)
    if not sns.is_signed(envelope):
        raise AccessDenied
    if envelope["Type"] == "SubscriptionConfirmation":
        if not sns.confirm(envelope):
            raise AccessDenied
        return HttpResponse(status=204)
    told = _document(str(envelope.get("Message", "")).encode())
    if "originationNumber" in told:
        hear(str(told["originationNumber"]), str(told.get("messageBody", "")))
    else:
        _aws_event(told)
    return HttpResponse(status=204)


def _aws_event(told: dict[str, Any]) -> None:
    context = told.get("context")
    # Texts that others send from the same account have no id of ours.
    if not isinstance(context, dict) or "message" not in context:
        return
    kind = str(told.get("eventType"))
    if kind in aws.DELIVERED:
        reports.delivered(_id(context["message"]), gateway="aws")
    elif kind in aws.FAILED:
        reports.undelivered(_id(context["message"]), aws.FAILED[kind], gateway="aws")


# --- reading -------------------------------------------------------------------------------------------------------


def _document(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidInput("This is not JSON.") from None
    if not isinstance(value, dict):
        raise InvalidInput("This is not a JSON object.")
    return value


def _id(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise InvalidInput("This is not the id of a message.") from None
