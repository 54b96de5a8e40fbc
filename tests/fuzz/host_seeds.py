"""The first inputs of what reads texts about a host; invented, in the forms that commands print."""

from __future__ import annotations

import json
from typing import Final

__all__ = ["DEVICES", "DRIVER_MAPS", "ESXCLI_ANSWERS", "HOSTS"]

_TABLE = b"""\
Name      Version                     Vendor  Acceptance Level  Install Date  Platforms
--------  --------------------------  ------  ----------------  ------------  ---------
net-acme  1.2.3-4OEM.700.1.0.15843807  ACM     PartnerSupported  2021-03-04    host
esx-base  7.0.3-0.55.20328353          VMware  VMwareCertified   2022-09-01    host, vmdpu0
"""
_BLOCKS = b"""\
0000:04:00.0
   Address: 0000:04:00.0
   Vendor ID: 0x8086
   Device ID: 0x1528
   SubVendor ID: 0x15d9
   SubDevice ID: 0x0734
   Device Class: 0x0200
   Programming Interface: 0x00
   Module Name: acmenic
"""
_VERSION = b"""\
   Product: VMware ESXi
   Version: 7.0.3
   Build: Releasebuild-20328353
   Update: 3
   Patch: 55
"""
_CSV = b"AcceptanceLevel,ID,Name,Vendor,Version,\nPartnerSupported,ACM_bootbank_a_1.0-1,a,ACM,1.0-1,\n"
_XML = b"""<?xml version="1.0" encoding="utf-8"?>
<output xmlns="http://www.vmware.com/Products/ESX/5.0/esxcli/">
<root><list type="structure"><structure typeName="VIB">
<field name="Name"><string>net-acme</string></field><field name="Version"><string>1.0-1</string></field>
<field name="Vendor"><string>ACM</string></field><field name="AcceptanceLevel"><string>VMwareAccepted</string></field>
<field name="ID"><string>ACM_bootbank_net-acme_1.0-1</string></field>
</structure></list></root></output>
"""

ESXCLI_ANSWERS: Final = [
    _TABLE,
    b"[root@esx1:~] esxcli software vib list\n" + _TABLE,
    _BLOCKS,
    _VERSION,
    _CSV,
    _XML,
    json.dumps(
        [
            {
                "Name": "net-acme",
                "Version": "1.0-1",
                "Vendor": "ACM",
                "ID": "ACM_bootbank_net-acme_1.0-1",
                "AcceptanceLevel": "VMwareAccepted",
            }
        ]
    ).encode(),
]
HOSTS: Final = [
    json.dumps(
        {
            "esximage_host": 1,
            "name": "esx1",
            "base_image": {"version": "7.0.3-0.55.20328353"},
            "components": {"Acme-net": "1.0.0-1"},
            "facts": {"vendor": "Acme"},
        }
    ).encode(),
    *ESXCLI_ANSWERS,
]
DEVICES: Final = [
    _BLOCKS,
    b"02:00.1 0200: 8086:1528 (rev 01)\n\tSubsystem: 15d9:0734\n",
    b"02:00.1 Ethernet controller [0200]: Acme Card [8086:1528] (rev 01)\n",
    b"Slot:\t02:00.1\nClass:\t0200\nVendor:\t8086\nDevice:\t1528\nSVendor:\t15d9\nSDevice:\t0734\n",
    json.dumps([{"Address": "0000:04:00.0", "VendorID": 32902, "DeviceID": 5416}]).encode(),
]
DRIVER_MAPS: Final = [
    b"regtype=native,bus=pci,id=15b3101d15b30016......,driver=nmlx5_core\nregtype=linux,bus=usb,id=x,driver=y\n",
    b"regtype=linux,bus=pci,id=10ec:8168 0000:0000,driver=r8168\n",
]
