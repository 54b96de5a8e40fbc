"""Reading depots into a catalog and a store of bytes; saying whether others would take them."""
