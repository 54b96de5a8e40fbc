"""Bytes on their way: blocks, shared files, files and folders that appear whole or not at all."""
