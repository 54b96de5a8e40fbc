"""The nouns: frozen values that know nothing of bytes and files."""
