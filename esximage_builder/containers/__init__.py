"""Containers of bytes: zip, ar, gzip, tar, vmtar, ISO 9660, XML, JSON, CMS; nothing here knows ESXi's documents."""
