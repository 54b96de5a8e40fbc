# Types of the public names; __init__.py says where they live.
from esximage_builder.checksums import Checksum as Checksum
from esximage_builder.depot.documents import (
    read_lock as read_lock,
)
from esximage_builder.depot.documents import (
    read_software_spec as read_software_spec,
)
from esximage_builder.depot.documents import (
    write_software_spec as write_software_spec,
)
from esximage_builder.depot.opening import (
    Depot as Depot,
)
from esximage_builder.depot.opening import (
    open_depot as open_depot,
)
from esximage_builder.depot.sniff import (
    FileKind as FileKind,
)
from esximage_builder.depot.sniff import (
    Sniffed as Sniffed,
)
from esximage_builder.depot.sniff import (
    sniff as sniff,
)
from esximage_builder.depot.verification import (
    Certainty as Certainty,
)
from esximage_builder.depot.verification import (
    Check as Check,
)
from esximage_builder.depot.verification import (
    Verification as Verification,
)
from esximage_builder.depot.verify_bundle import verify_bundle as verify_bundle
from esximage_builder.depot.verify_iso import verify_iso as verify_iso
from esximage_builder.errors import (
    ChecksumMismatchError as ChecksumMismatchError,
)
from esximage_builder.errors import (
    ComposeError as ComposeError,
)
from esximage_builder.errors import (
    DepotError as DepotError,
)
from esximage_builder.errors import (
    DepotErrors as DepotErrors,
)
from esximage_builder.errors import (
    EsxImageError as EsxImageError,
)
from esximage_builder.errors import (
    ExportError as ExportError,
)
from esximage_builder.errors import (
    IncompatibleImageError as IncompatibleImageError,
)
from esximage_builder.errors import (
    InvalidFieldError as InvalidFieldError,
)
from esximage_builder.errors import (
    LimitExceededError as LimitExceededError,
)
from esximage_builder.errors import (
    MalformedDocumentError as MalformedDocumentError,
)
from esximage_builder.errors import (
    MissingExtraError as MissingExtraError,
)
from esximage_builder.errors import (
    ModelError as ModelError,
)
from esximage_builder.errors import (
    NotADepotError as NotADepotError,
)
from esximage_builder.errors import (
    NotInDepotError as NotInDepotError,
)
from esximage_builder.errors import (
    SourceUnreadableError as SourceUnreadableError,
)
from esximage_builder.errors import (
    UnsafeArchiveError as UnsafeArchiveError,
)
from esximage_builder.errors import (
    VersionSyntaxError as VersionSyntaxError,
)
from esximage_builder.export.bundle import export_bundle as export_bundle
from esximage_builder.export.iso import export_iso as export_iso
from esximage_builder.export.lock import (
    compose_locked as compose_locked,
)
from esximage_builder.export.lock import (
    make_lock as make_lock,
)
from esximage_builder.export.lock import (
    write_lock as write_lock,
)
from esximage_builder.export.pxe import export_pxe as export_pxe
from esximage_builder.export.report import (
    image_as_dict as image_as_dict,
)
from esximage_builder.export.report import (
    render_text_report as render_text_report,
)
from esximage_builder.export.report import (
    report_as_dict as report_as_dict,
)
from esximage_builder.export.report_file import write_report as write_report
from esximage_builder.export.report_html import render_html_report as render_html_report
from esximage_builder.export.report_markdown import render_markdown_report as render_markdown_report
from esximage_builder.export.result import ExportResult as ExportResult
from esximage_builder.export.sbom import export_sbom as export_sbom
from esximage_builder.findings import (
    Finding as Finding,
)
from esximage_builder.findings import (
    Severity as Severity,
)
from esximage_builder.formats.vib_archive import VibHead as VibHead
from esximage_builder.limits import ReadLimits as ReadLimits
from esximage_builder.models.add_on import AddOn as AddOn
from esximage_builder.models.base_image import BaseImage as BaseImage
from esximage_builder.models.catalog import Catalog as Catalog
from esximage_builder.models.component import (
    Bulletin as Bulletin,
)
from esximage_builder.models.component import (
    Component as Component,
)
from esximage_builder.models.component import (
    ComponentReference as ComponentReference,
)
from esximage_builder.models.constraint import (
    Constraint as Constraint,
)
from esximage_builder.models.constraint import (
    Provide as Provide,
)
from esximage_builder.models.hardware_support import HardwareSupport as HardwareSupport
from esximage_builder.models.host import (
    Host as Host,
)
from esximage_builder.models.host import (
    HostComponent as HostComponent,
)
from esximage_builder.models.image import (
    EffectiveComponent as EffectiveComponent,
)
from esximage_builder.models.image import (
    Image as Image,
)
from esximage_builder.models.image import (
    InstalledVib as InstalledVib,
)
from esximage_builder.models.image import (
    MissingComponent as MissingComponent,
)
from esximage_builder.models.image import (
    MissingVib as MissingVib,
)
from esximage_builder.models.image import (
    OverriddenComponent as OverriddenComponent,
)
from esximage_builder.models.image import (
    RemovedComponent as RemovedComponent,
)
from esximage_builder.models.image import (
    ReservedVib as ReservedVib,
)
from esximage_builder.models.image import (
    ReserveReason as ReserveReason,
)
from esximage_builder.models.image import (
    Rule as Rule,
)
from esximage_builder.models.image_profile import (
    ImageProfile as ImageProfile,
)
from esximage_builder.models.image_profile import (
    ProfileVib as ProfileVib,
)
from esximage_builder.models.lock import (
    Lock as Lock,
)
from esximage_builder.models.lock import (
    LockedComponent as LockedComponent,
)
from esximage_builder.models.lock import (
    LockedVib as LockedVib,
)
from esximage_builder.models.solution import (
    Solution as Solution,
)
from esximage_builder.models.solution import (
    SolutionComponent as SolutionComponent,
)
from esximage_builder.models.spec import (
    AddOnReference as AddOnReference,
)
from esximage_builder.models.spec import (
    HardwareSupportReference as HardwareSupportReference,
)
from esximage_builder.models.spec import (
    SoftwareSpec as SoftwareSpec,
)
from esximage_builder.models.spec import (
    SolutionReference as SolutionReference,
)
from esximage_builder.models.vib import (
    HardwarePlatform as HardwarePlatform,
)
from esximage_builder.models.vib import (
    MaintenanceMode as MaintenanceMode,
)
from esximage_builder.models.vib import (
    Payload as Payload,
)
from esximage_builder.models.vib import (
    SoftwarePlatform as SoftwarePlatform,
)
from esximage_builder.models.vib import (
    Vib as Vib,
)
from esximage_builder.models.vib import (
    VibFile as VibFile,
)
from esximage_builder.models.vib_store import (
    PackedVib as PackedVib,
)
from esximage_builder.models.vib_store import (
    PackedVibStore as PackedVibStore,
)
from esximage_builder.models.vib_store import (
    VibStore as VibStore,
)
from esximage_builder.progress import Progress as Progress
from esximage_builder.rules.boot_layout import (
    BootModule as BootModule,
)
from esximage_builder.rules.boot_layout import (
    boot_modules as boot_modules,
)
from esximage_builder.rules.boot_layout import (
    without_tools as without_tools,
)
from esximage_builder.rules.classify import (
    Change as Change,
)
from esximage_builder.rules.classify import (
    ChangeKind as ChangeKind,
)
from esximage_builder.rules.classify import (
    classify_images as classify_images,
)
from esximage_builder.rules.classify import (
    classify_known as classify_known,
)
from esximage_builder.rules.classify import (
    classify_releases as classify_releases,
)
from esximage_builder.rules.classify import (
    classify_versions as classify_versions,
)
from esximage_builder.rules.compose import (
    compose as compose,
)
from esximage_builder.rules.compose import (
    image_from_profile as image_from_profile,
)
from esximage_builder.rules.compose import (
    make_spec as make_spec,
)
from esximage_builder.rules.decompose import (
    Decomposition as Decomposition,
)
from esximage_builder.rules.decompose import (
    decompose as decompose,
)
from esximage_builder.rules.decompose import (
    recognise as recognise,
)
from esximage_builder.rules.diff import (
    ChangeDirection as ChangeDirection,
)
from esximage_builder.rules.diff import (
    ImageDiff as ImageDiff,
)
from esximage_builder.rules.diff import (
    Impact as Impact,
)
from esximage_builder.rules.diff import (
    ItemChange as ItemChange,
)
from esximage_builder.rules.diff import (
    diff as diff,
)
from esximage_builder.rules.explain import (
    Explanation as Explanation,
)
from esximage_builder.rules.explain import (
    RuleSet as RuleSet,
)
from esximage_builder.rules.explain import (
    explain_acceptance as explain_acceptance,
)
from esximage_builder.rules.explain import (
    explain_findings as explain_findings,
)
from esximage_builder.rules.explain import (
    explain_name as explain_name,
)
from esximage_builder.rules.explain import (
    render_explanations as render_explanations,
)
from esximage_builder.rules.explain import (
    rule_set_of as rule_set_of,
)
from esximage_builder.rules.layers import (
    Compatibility as Compatibility,
)
from esximage_builder.rules.layers import (
    Layer as Layer,
)
from esximage_builder.rules.layers import (
    LayerVerdict as LayerVerdict,
)
from esximage_builder.rules.layers import (
    Verdict as Verdict,
)
from esximage_builder.rules.layers import (
    judge_add_on as judge_add_on,
)
from esximage_builder.rules.layers import (
    judge_component as judge_component,
)
from esximage_builder.rules.layers import (
    judge_host as judge_host,
)
from esximage_builder.rules.recommend import (
    PassedOver as PassedOver,
)
from esximage_builder.rules.recommend import (
    Recommendation as Recommendation,
)
from esximage_builder.rules.recommend import (
    Suggestion as Suggestion,
)
from esximage_builder.rules.recommend import (
    recommend as recommend,
)
from esximage_builder.rules.releases import (
    KnownRelease as KnownRelease,
)
from esximage_builder.rules.releases import (
    release_name as release_name,
)
from esximage_builder.rules.releases import (
    resolve_base_image as resolve_base_image,
)
from esximage_builder.rules.releases import (
    select_base_images as select_base_images,
)
from esximage_builder.rules.validate import (
    ValidationReport as ValidationReport,
)
from esximage_builder.rules.validate import (
    validate as validate,
)
from esximage_builder.versions import (
    AddOnVersion as AddOnVersion,
)
from esximage_builder.versions import (
    BaseImageVersion as BaseImageVersion,
)
from esximage_builder.versions import (
    ComponentVersion as ComponentVersion,
)
from esximage_builder.versions import (
    ProductRange as ProductRange,
)
from esximage_builder.versions import (
    ProductVersion as ProductVersion,
)
from esximage_builder.versions import (
    ReleaseName as ReleaseName,
)
from esximage_builder.versions import (
    VibVersion as VibVersion,
)
from esximage_builder.vocabulary import (
    AcceptanceLevel as AcceptanceLevel,
)
from esximage_builder.vocabulary import (
    ComponentSource as ComponentSource,
)
from esximage_builder.vocabulary import (
    PayloadType as PayloadType,
)
from esximage_builder.vocabulary import (
    Platform as Platform,
)
from esximage_builder.vocabulary import (
    Relation as Relation,
)
from esximage_builder.vocabulary import (
    VibType as VibType,
)
