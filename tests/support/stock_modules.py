"""What stock installer discs load, in order: local names, as public copies of their ``boot.cfg`` show.

Kernel first, without folders and without the archives at the end. Facts about releases whose
base images the fixtures take after (docs/formats.md#module-order).
"""

from __future__ import annotations

__all__ = ["STOCK_MODULES"]

_HEAD = """
b.b00 jumpstrt.gz useropts.gz features.gz k.b00 uc_intel.b00 uc_amd.b00 uc_hygon.b00 procfs.b00
vmx.v00 vim.v00 tpm.v00 sb.v00 s.v00
"""

# The published copy has two VIBs of another vendor more, which stand between _HEAD and these.
_7_0_U2A = """
atlantic.v00 bnxtnet.v00 bnxtroce.v00 brcmfcoe.v00 brcmnvme.v00 elxiscsi.v00 elxnet.v00 i40enu.v00 iavmd.v00
icen.v00 igbn.v00 irdman.v00 iser.v00 ixgben.v00 lpfc.v00 lpnic.v00 lsi_mr3.v00 lsi_msgp.v00 lsi_msgp.v01
lsi_msgp.v02 mtip32xx.v00 ne1000.v00 nenic.v00 nfnic.v00 nhpsa.v00 nmlx4_co.v00 nmlx4_en.v00 nmlx4_rd.v00
nmlx5_co.v00 nmlx5_rd.v00 ntg3.v00 nvme_pci.v00 nvmerdma.v00 nvmxnet3.v00 nvmxnet3.v01 pvscsi.v00 qcnic.v00
qedentv.v00 qedrntv.v00 qfle3.v00 qfle3f.v00 qfle3i.v00 qflge.v00 rste.v00 sfvmk.v00 smartpqi.v00 vmkata.v00
vmkfcoe.v00 vmkusb.v00 vmw_ahci.v00 clusters.v00 crx.v00 elx_esx_.v00 btldr.v00 esx_dvfi.v00 esx_ui.v00
esxupdt.v00 tpmesxup.v00 weaselin.v00 loadesx.v00 lsuv2_hp.v00 lsuv2_in.v00 lsuv2_ls.v00 lsuv2_nv.v00
lsuv2_oe.v00 lsuv2_oe.v01 lsuv2_oe.v02 lsuv2_sm.v00 native_m.v00 qlnative.v00 vdfs.v00 vmware_e.v00 vsan.v00
vsanheal.v00 vsanmgmt.v00 tools.t00 xorg.v00 gc.v00
"""

_8_0_U3 = """
atlantic.v00 bcm_mpi3.v00 bnxtnet.v00 bnxtroce.v00 brcmfcoe.v00 cndi_igc.v00 dwi2c.v00 elxiscsi.v00 elxnet.v00
i40en.v00 iavmd.v00 icen.v00 igbn.v00 intelgpi.v00 ionic_cl.v00 ionic_en.v00 irdman.v00 iser.v00 ixgben.v00
lpfc.v00 lpnic.v00 lsi_mr3.v00 lsi_msgp.v00 lsi_msgp.v01 lsi_msgp.v02 mtip32xx.v00 ne1000.v00 nenic.v00
nfnic.v00 nhpsa.v00 nipmi.v00 nmlx5_cc.v00 nmlx5_co.v00 nmlx5_rd.v00 ntg3.v00 nvme_pci.v00 nvmerdma.v00
nvmetcp.v00 nvmxnet3.v00 nvmxnet3.v01 pvscsi.v00 qcnic.v00 qedentv.v00 qedrntv.v00 qfle3.v00 qfle3f.v00
qfle3i.v00 qflge.v00 rdmahl.v00 rste.v00 sfvmk.v00 smartpqi.v00 vmkata.v00 vmksdhci.v00 vmkusb.v00 vmw_ahci.v00
bmcal.v00 clusters.v00 crx.v00 drivervm.v00 elx_esx_.v00 btldr.v00 dvfilter.v00 esx_ui.v00 esxupdt.v00
tpmesxup.v00 weaselin.v00 esxio_co.v00 infravis.v00 loadesx.v00 lsuv2_hp.v00 lsuv2_in.v00 lsuv2_ls.v00
lsuv2_nv.v00 lsuv2_oe.v00 lsuv2_oe.v01 lsuv2_sm.v00 native_m.v00 qlnative.v00 trx.v00 vcls_pod.v00 vdfs.v00
vds_vsip.v00 vmware_e.v00 hbrsrv.v00 vsan.v00 vsanheal.v00 vsanmgmt.v00 tools.t00 xorg.v00 gc.v00
"""

STOCK_MODULES = {
    "7.0.2-0.0.17867351": tuple((_HEAD + _7_0_U2A).split()),
    "8.0.3-0.0.24022510": tuple((_HEAD + _8_0_U3).split()),
}
