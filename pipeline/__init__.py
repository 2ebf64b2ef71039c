"""How a run is put together: command, configuration, sources, the Beam graph, shards, progress."""
