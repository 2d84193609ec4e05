"""Columns whose values are sealed before they reach the database, and the blind indexes that find them.

A value is bound to its table, column, row, practice and key version, so a ciphertext moved anywhere else
does not open. Nothing can be searched by a sealed column; `blind_index` makes the value to search by.
"""

from __future__ import annotations

import json
import uuid
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import models

from portal.sealed.cells import open_cell, seal_cell
from portal.sealed.keys import INSTALLATION, practice_key
from portal.vault.columns import blind_index as keyed_index
from portal.vault.keyring import derive_key

INDEX_BYTES = 16

if TYPE_CHECKING:
    BinaryField = models.BinaryField[Any, Any]
else:
    BinaryField = models.BinaryField


class Ciphertext(bytes):
    """A sealed value as the database holds it; it opens when the attribute is read."""


def practice_of(row: models.Model) -> uuid.UUID:
    """Whose key seals this row: its practice's, or the installation's where a row has none."""
    return getattr(row, "practice_id", None) or INSTALLATION


def row_id(row: models.Model) -> uuid.UUID:
    """The id a row's values are bound to: its key, or `seal_id` where the key is a mere number."""
    return getattr(row, "seal_id", None) or row.pk


class _Opening:
    """The attribute of a sealed field: plain when read, sealed when it comes from the database."""

    def __init__(self, column: SealedText) -> None:
        self.column = column

    def __get__(self, row: models.Model | None, owner: type | None = None) -> Any:
        if row is None:
            return self
        value = row.__dict__.get(self.column.attname)
        if value is None and self.column.attname not in row.__dict__:
            row.refresh_from_db(fields=[self.column.attname])
            value = row.__dict__.get(self.column.attname)
        if isinstance(value, Ciphertext):
            value = self.column.opened(row, value)
            row.__dict__[self.column.attname] = value
        return value

    def __set__(self, row: models.Model, value: Any) -> None:
        row.__dict__[self.column.attname] = value


class SealedText(BinaryField):
    """Text, sealed: `version ‖ nonce ‖ ciphertext ‖ tag` in the column, `str` in Python."""

    column: str

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Opening(self))

    # The two ends of a value, overridden by the fields for dates and documents.

    def to_plain(self, value: Any) -> bytes:
        return str(value).encode()

    def from_plain(self, plain: bytes) -> Any:
        return plain.decode()

    # Sealing

    def _cell(self, row: models.Model) -> tuple[uuid.UUID, str, str, uuid.UUID]:
        return practice_of(row), row._meta.db_table, self.column, row_id(row)

    def opened(self, row: models.Model, value: bytes) -> Any:
        """The plain value; raises `VaultDamaged` when the ciphertext isn't this row's."""
        return self.from_plain(open_cell(*self._cell(row), value))

    def sealed(self, row: models.Model, value: Any) -> Ciphertext:
        """The value under the practice's active key, bound to this row and column."""
        return Ciphertext(seal_cell(*self._cell(row), self.to_plain(value)))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, Ciphertext):
            return value
        return self.sealed(model_instance, value)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Ciphertext):
            return value
        raise TypeError(f"{self.name} is sealed: assign it to a row and save, or search by its blind index")

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Ciphertext | None:
        return None if value is None else Ciphertext(bytes(value))

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise TypeError(f"{self.name} is sealed and can't be searched; use its blind index")


class SealedDate(SealedText):
    """A date, sealed; `datetime.date` in Python."""

    def to_plain(self, value: Any) -> bytes:
        return (value if isinstance(value, str) else value.isoformat()).encode()

    def from_plain(self, plain: bytes) -> date:
        return date.fromisoformat(plain.decode())


class SealedJSON(SealedText):
    """A JSON document, sealed."""

    def to_plain(self, value: Any) -> bytes:
        return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()

    def from_plain(self, plain: bytes) -> Any:
        return json.loads(plain)


class SealedBytes(SealedText):
    """A document of some megabytes at most, sealed; `bytes` in Python."""

    def to_plain(self, value: Any) -> bytes:
        return bytes(value)

    def from_plain(self, plain: bytes) -> bytes:
        return plain


def blind_index(practice: uuid.UUID | None, field: str, normalised: str) -> bytes:
    """16 bytes to search a sealed value by: equal within a practice, meaningless outside it.

    `normalised` is the caller's one form of the value (E.164 number, folded name...). Never index a birth
    date or a sex alone: so few values are told apart by counting.
    """
    # Always the first version of the key: what was indexed before a rotation must still be found after it.
    version, key = practice_key(practice or INSTALLATION, 1)
    return keyed_index(derive_key(key, "bidx", field, str(version)), normalised)


class BlindIndexField(BinaryField):
    """A stored blind index."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = INDEX_BYTES
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length", None)
        return name, path, args, kwargs

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        return None if value is None else bytes(value)
