"""Words for compliance: what people read of statuses, impacts and reasons."""

from __future__ import annotations

from esximage_builder.models.compliance import ComplianceStatus, ItemReason

__all__ = ["IMPACT_WORDS", "REASON_WORDS", "STATUS_LABELS", "STATUS_WORDS"]

STATUS_WORDS = {
    ComplianceStatus.COMPLIANT: "compliant",
    ComplianceStatus.UNAVAILABLE: "unavailable",
    ComplianceStatus.NON_COMPLIANT: "not compliant",
    ComplianceStatus.INCOMPATIBLE: "incompatible",
}

STATUS_LABELS = {
    ComplianceStatus.COMPLIANT: "ok",
    ComplianceStatus.UNAVAILABLE: "warning",
    ComplianceStatus.NON_COMPLIANT: "warning",
    ComplianceStatus.INCOMPATIBLE: "error",
}
"""How much a status weighs: what can be brought to the image is no error."""

IMPACT_WORDS = {
    "NO_IMPACT": "none",
    "PARTIAL_MAINTENANCE_MODE_REQUIRED": "partial maintenance mode",
    "MAINTENANCE_MODE_REQUIRED": "maintenance mode",
    "UNKNOWN": "not known",
    "REBOOT_REQUIRED": "reboot",
}

REASON_WORDS = {
    ItemReason.IMAGE_IS_LATER: "the image has a later version",
    ItemReason.HOST_IS_LATER: "the host has a later version",
    ItemReason.OTHER_VERSION: "the host has another version",
    ItemReason.OTHER_NAME: "the host has another one in its place",
    ItemReason.NOT_ON_HOST: "the host does not have it",
    ItemReason.NOT_IN_IMAGE: "the image does not have it; it would be removed",
    ItemReason.TAKEN_OFF: "the spec takes it off; it would be removed",
    ItemReason.PART_DIFFERS: "one of its components is not as in the image",
    ItemReason.NOT_TOLD: "the inventory does not tell it",
    ItemReason.NOT_CHECKABLE: "not checkable: only its hardware support manager knows the firmware",
    ItemReason.FOR_DPU: "it is for data processing units, of which the host has none",
}
