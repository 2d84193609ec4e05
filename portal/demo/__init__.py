"""The demo: an invented practice to walk through. Nothing here is imported by the product."""
