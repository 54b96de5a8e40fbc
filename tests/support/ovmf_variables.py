"""A boot entry for UEFI HTTP Boot, put into the empty variables of OVMF: what an administrator types into the setup.

Source: UEFI specification (load options, device paths), EDK II's format of authenticated variables.
"""

from __future__ import annotations

import struct
import uuid

__all__ = ["with_http_boot"]

_VOLUME_HEADER_BYTES = 48  # where the volume says how long its header is
_STORE_HEADER_BYTES = 28
_VARIABLE = struct.Struct("<HBBIQ16xIII16s")
_START, _ADDED, _KEPT = 0x55AA, 0x3F, 7  # not volatile, at boot and at run time
_GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c").bytes_le
_ACTIVE = 1
_NUMBER = 0x42
_MESSAGING, _URI = 3, 24
_END_OF_PATH = b"\x7f\xff\x04\x00"


def with_http_boot(variables: bytes, address: str) -> bytes:
    """Return variables with an entry that loads ``address``, and that is tried first.

    Args:
        variables: OVMF's, as they come, without any.
        address: Of a UEFI application.
    """
    (length,) = struct.unpack_from("<H", variables, _VOLUME_HEADER_BYTES)
    start = length + _STORE_HEADER_BYTES
    uri = address.encode()
    path = struct.pack("<BBH", _MESSAGING, _URI, 4 + len(uri)) + uri + _END_OF_PATH
    option = struct.pack("<IH", _ACTIVE, len(path)) + _text("HTTP") + path
    added = _variable(f"Boot{_NUMBER:04X}", option) + _variable("BootNext", struct.pack("<H", _NUMBER))
    end = start + len(added)
    assert variables[start:end] == b"\xff" * len(added), "the variables are not empty"
    return variables[:start] + added + variables[end:]


def _variable(name: str, data: bytes) -> bytes:
    text = _text(name)
    head = _VARIABLE.pack(_START, _ADDED, 0, _KEPT, 0, 0, len(text), len(data), _GLOBAL)
    whole = head + text + data
    return whole + b"\xff" * (-len(whole) % 4)


def _text(text: str) -> bytes:
    return f"{text}\0".encode("utf-16-le")
