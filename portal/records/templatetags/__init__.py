"""Ways of writing things on the desk's pages."""
