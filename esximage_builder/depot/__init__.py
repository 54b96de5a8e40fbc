"""Reading depots into a catalog and a store of bytes."""
