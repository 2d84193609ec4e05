"""The browser at the desk, for the owner's pages too."""

from tests.sharing.test_desk_in_a_browser import chromium, page

__all__ = ["chromium", "page"]
