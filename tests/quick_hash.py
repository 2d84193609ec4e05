"""The product's password hash with the least work it can do: a test signs in thousands of times."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """Argon2id, one pass over 64 KiB."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1
