"""What a run leaves, and how it is written: paths, storage, shards, the manifest, the card."""
