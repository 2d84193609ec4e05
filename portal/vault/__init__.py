"""The vault: everything at rest is sealed here, and opened here.

`stream` is the object format, `store` the files on disk, `keyring` the wrapped keys, `columns` the sealed
database values, `manifest` the list of a study's objects. The bytes are described in `docs/vault-format.md`.

No Django, no policy: who may open what is decided elsewhere, and comes in here as a key and a context.
"""
