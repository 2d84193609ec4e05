"""From an upload in the spool to studies in the vault, once, whatever is killed in between.

    sources    the files of an upload or of a quarantined group, read in plain in memory only
    survey     reads every header in the confined child: what there is, and what is refused
    sorting    whose it is, and what is already there: taken, linked or held
    plan       which files are shown together, in which order
    write      seals originals, frames, previews, tags, the display document and the manifest
    commit     rows, keys, entries and the end of the job in one transaction
    job        the verb the worker calls

Nothing is visible before the commit; packs written by a run that died have no row and are swept.
"""

from portal.records.ingest.job import ingest_upload

__all__ = ["ingest_upload"]
