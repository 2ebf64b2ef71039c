"""One data set made from another, shard by shard: rendered, scored, mixed with conversations, or purged of what was taken down."""
