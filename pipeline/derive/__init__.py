"""One data set from another, shard by shard: rendered, scored, mixed with conversations, without what was taken down."""
