"""The MongoDB export of the Gold marts: declared, reconciled, published by an atomic swap."""
