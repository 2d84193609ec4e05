"""Starting Scanpass and keeping it running: `manage.py demo` and `manage.py serve`.

Glue: only `manage.py` and the commands import it. `bootstrap`, `environment` and `refusal` are standard
library only, because they run before anything is installed.
"""
