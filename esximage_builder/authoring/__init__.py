"""Making VIBs, components, add-ons, base images and depots from files."""
