"""The two questions of a load balancer."""

from __future__ import annotations

import pytest
from django.test import Client

from portal.sealed.keys import forget_keys


def test_alive_asks_nothing_of_the_database(client: Client) -> None:
    response = client.get("/healthz", headers={"host": "127.0.0.1"})
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_ready_when_database_and_keys_answer(client: Client) -> None:
    assert client.get("/readyz", headers={"host": "127.0.0.1"}).status_code == 200


@pytest.mark.django_db
def test_not_ready_without_the_keys(client: Client, settings: object, tmp_path: object) -> None:
    settings.KEYRING_PATH = tmp_path / "missing.json"  # type: ignore[attr-defined, operator]
    forget_keys()
    response = client.get("/readyz", headers={"host": "127.0.0.1"})
    assert (response.status_code, response.content) == (503, b"The keys can't be reached.")
