"""The rules: pure functions over the nouns; they see no bytes and no XML."""
