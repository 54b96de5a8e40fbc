"""Read, compose, check and write VMware ESXi images."""
