"""The recipient's pages, each also a step for scripts."""
