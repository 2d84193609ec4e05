"""The two key services behind the one interface: they bind what we bind, and out of reach means sealed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from portal.errors import InvalidInput, Sealed, VaultDamaged
from portal.vault.keyring import Keyring, Wrapped, new_key
from portal.vault.providers.aws_kms import AwsKmsProvider
from portal.vault.providers.aws_signature import Credentials, signed_headers
from portal.vault.providers.https_json import HttpsJson
from portal.vault.providers.vault_transit import VaultTransitProvider
from tests.portal.vault.key_services import ACCESS_KEY, KEY_NAME, REGION, SECRET, TOKEN, FakeKms, FakeVault
from tests.tls_server import serving_tls

PRACTICE = uuid4()


@pytest.fixture
def vault(tmp_path):
    folder = tmp_path / "vault"
    folder.mkdir()
    (folder / "token").write_text(TOKEN + "\n")
    with serving_tls(FakeVault, folder) as server:
        provider = VaultTransitProvider(
            f"https://localhost:{server.server_port}",
            key=KEY_NAME,
            token_file=folder / "token",
            ca_file=str(folder / "localhost.pem"),
        )
        yield provider, server, folder / "token"


@pytest.fixture
def kms(tmp_path):
    credentials = tmp_path / "credentials"
    credentials.write_text(json.dumps({"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET}))
    with serving_tls(FakeKms, tmp_path) as server:

        def make(*names: str) -> AwsKmsProvider:
            return AwsKmsProvider(
                REGION,
                keys={place: f"arn:aws:kms:us-east-1:1:key/{name}" for place, name in enumerate(names, 1)},
                credentials_file=credentials,
                url=f"https://localhost:{server.server_port}",
                ca_file=str(tmp_path / "localhost.pem"),
            )

        yield make, server, credentials


def reason_of(deed) -> str:
    with pytest.raises((Sealed, VaultDamaged)) as caught:
        deed()
    return caught.value.reason if isinstance(caught.value, VaultDamaged) else caught.value.details["reason"]


def _walk(provider) -> None:
    """What every provider does for a practice's key."""
    keyring, key = Keyring(provider), new_key()
    wrapped = keyring.wrap_practice_key(key, practice=PRACTICE, version=1)
    assert key not in wrapped.blob
    assert keyring.unwrap_practice_key(wrapped, practice=PRACTICE, version=1) == key
    for practice, version in ((uuid4(), 1), (PRACTICE, 2)):
        deed = lambda practice=practice, version=version: keyring.unwrap_practice_key(  # noqa: E731
            wrapped, practice=practice, version=version
        )
        assert reason_of(deed) == "wrap-tag", "the service itself binds the associated data"
    empty = Wrapped(wrapped.version, b"")
    assert reason_of(lambda: keyring.unwrap_practice_key(empty, practice=PRACTICE, version=1)) == "shredded"
    keyring.health()


def test_vault_wraps_and_binds(vault):
    _walk(vault[0])


def test_kms_wraps_and_binds(kms):
    _walk(kms[0]("one"))


def test_vault_rotates_rewraps_and_retires_the_oldest_alone(vault):
    provider, _, _ = vault
    keyring, key = Keyring(provider), new_key()
    old = keyring.wrap_practice_key(key, practice=PRACTICE, version=1)
    assert (provider.rotate(), provider.versions()) == (2, {1, 2})
    assert old.version == 1
    with pytest.raises(InvalidInput, match="oldest"):
        provider.retire(2)
    renewed = keyring.rewrap_practice_key(old, practice=PRACTICE, version=1)
    assert renewed.version == 2
    provider.retire(1)
    assert provider.versions() == {2}
    assert keyring.unwrap_practice_key(renewed, practice=PRACTICE, version=1) == key
    assert (
        reason_of(lambda: keyring.unwrap_practice_key(old, practice=PRACTICE, version=1))
        == "provider-refused"
    )
    with pytest.raises(InvalidInput, match="never the active"):
        provider.retire(2)


def test_a_second_kms_key_is_a_second_version(kms):
    make, _, _ = kms
    key = new_key()
    old = Keyring(make("one")).wrap_practice_key(key, practice=PRACTICE, version=1)
    both = make("one", "two")
    renewed = Keyring(both).rewrap_practice_key(old, practice=PRACTICE, version=1)
    assert (old.version, renewed.version) == (1, 2)
    assert Keyring(both).unwrap_practice_key(renewed, practice=PRACTICE, version=1) == key
    swapped = Wrapped(1, renewed.blob)
    assert (
        reason_of(lambda: Keyring(both).unwrap_practice_key(swapped, practice=PRACTICE, version=1))
        == "wrap-tag"
    )
    unknown = Wrapped(3, renewed.blob)
    assert reason_of(lambda: both.unwrap(unknown, b"")) == "keyring-version"
    for deed in (both.rotate, lambda: both.retire(1)):
        with pytest.raises(InvalidInput, match="SCANPASS_KMS_KEYS"):
            deed()


def test_a_wrong_or_missing_token_seals(vault):
    provider, _, token = vault
    token.write_text("hvs.other")
    assert reason_of(provider.health) == "provider-denied"
    token.unlink()
    assert reason_of(provider.health) == "provider-token"


def test_wrong_or_missing_credentials_seal(kms):
    make, _, credentials = kms
    credentials.write_text(json.dumps({"AccessKeyId": ACCESS_KEY, "SecretAccessKey": "other"}))
    assert reason_of(make("one").health) == "provider-refused"
    credentials.write_text("[]")
    assert reason_of(make("one").health) == "provider-credentials"


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("nonsense", "provider-answer"),
        ("list", "provider-answer"),
        (500, "provider-refused"),
        (302, "provider-refused"),
    ],
)
def test_an_ill_service_seals_and_nothing_is_taken_for_damage(vault, kms, mood, reason):
    for provider, server in ((vault[0], vault[1]), (kms[0]("one"), kms[1])):
        wrapped = provider.wrap(new_key(), b"")
        server.mood = mood
        assert reason_of(lambda p=provider, w=wrapped: p.unwrap(w, b"")) == reason
        assert reason_of(lambda p=provider: p.wrap(new_key(), b"")) == reason


def test_a_sealed_vault_and_an_unknown_key_are_told_apart_in_the_log(vault, kms):
    vault[1].mood = 503
    assert reason_of(vault[0].health) == "provider-sealed"
    assert reason_of(kms[0]("three").health) == "provider-no-key"


def test_a_service_that_is_gone_or_nobody_vouches_for_seals(vault, tmp_path):
    _, server, token = vault
    for url in ("https://localhost:9", f"https://localhost:{server.server_port}"):
        provider = VaultTransitProvider(url, key=KEY_NAME, token_file=token)  # without the test's authority
        assert reason_of(provider.health) == "provider-unreachable"


def test_plain_http_is_no_address_of_a_key_service():
    with pytest.raises(InvalidInput, match="https"):
        HttpsJson("http://vault.example:8200")


def test_a_blob_whose_version_was_changed_in_the_row_is_damage(vault):
    provider, _, _ = vault
    wrapped = provider.wrap(new_key(), b"aad")
    assert reason_of(lambda: provider.unwrap(Wrapped(2, wrapped.blob), b"aad")) == "wrap-size"


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ],
)
def test_aws_own_test_suite_signs_alike(method, signature):
    """get-vanilla and post-vanilla of the Signature Version 4 test suite."""
    headers = signed_headers(
        method,
        "example.amazonaws.com",
        b"",
        {},
        credentials=Credentials(ACCESS_KEY, SECRET),
        region="us-east-1",
        service="service",
        at=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )
    assert headers["Authorization"].endswith(f"SignedHeaders=host;x-amz-date, Signature={signature}")
