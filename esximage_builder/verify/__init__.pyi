# Types of the names; __init__.py says where they live.
from esximage_builder.verify.bundle import verify_bundle as verify_bundle
from esximage_builder.verify.checklist import Certainty as Certainty, Check as Check, Verification as Verification
from esximage_builder.verify.disc import verify_iso as verify_iso
from esximage_builder.verify.vib_file import verify_vib as verify_vib
