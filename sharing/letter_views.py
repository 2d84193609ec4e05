"""Printing a share as a letter, from the desk."""

from __future__ import annotations

from uuid import UUID

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods

from portal.accounts.permissions import Action, may
from portal.records.pdf import can_print
from sharing.letter import Letter, print_letter
from sharing.letter_pdf import letter_pdf
from sharing.letter_words import words_of
from sharing.paper import is_on_paper
from sharing.practice_share import share_of


@may(Action.SHARE)
@require_http_methods(["GET", "HEAD", "POST"])
def letter(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """What a letter is; printing it makes a new link and a new code, shown this once."""
    share = share_of(request, share_id)
    if request.method != "POST":
        names = f"{share.disclosure.recipient_name} {share.patient.name} {share.address}"
        context = {
            "section": "patients",
            "share": share,
            "is_on_paper": is_on_paper(share),
            "can_print": can_print(names),
        }
        return render(request, "sharing/letter.html", context)
    printed = print_letter(share, actor=request.actor)  # type: ignore[attr-defined]
    if request.POST.get("as") == "pdf":
        # A name that says nothing of the patient: it lands in the folder of downloads.
        headers = {"Content-Disposition": 'inline; filename="letter.pdf"'}
        return HttpResponse(letter_pdf(printed), content_type="application/pdf", headers=headers)
    return _page(request, printed)


def _page(request: HttpRequest, printed: Letter) -> HttpResponse:
    code = segno.make(printed.link, error="m", micro=False)
    svg = code.svg_inline(border=4, omitsize=True, dark="#000", light="#fff")
    qr = mark_safe(svg)  # noqa: S308 (made of our own link, by segno)
    with translation.override(printed.share.language):
        context = {"letter": printed, "words": words_of(printed), "qr": qr}
        return render(request, "share/letter.html", context)
