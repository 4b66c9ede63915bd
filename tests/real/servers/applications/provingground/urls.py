"""The one page of the Django project, under every path."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from django_trustedproxy import get_decision

from .answers import describe_decision, list_headers, write_json


def show(request: HttpRequest) -> HttpResponse:
    """Answer with what Django derives from the request."""
    answer = {
        "address": request.META.get("REMOTE_ADDR"),
        "scheme": request.scheme,
        "host": request.get_host(),
        "server": request.META.get("SERVER_NAME"),
        "port": request.get_port(),
        "mount_point": request.META.get("SCRIPT_NAME", ""),
        "path": request.path_info,
        "url": request.build_absolute_uri(),
        "headers": list_headers(request.META),
        "decision": describe_decision(get_decision(request)),
    }
    return HttpResponse(write_json(answer), content_type="application/json")


urlpatterns = [re_path("", show)]
