"""The Beam graph of a run, and the run itself: check, list, resume, run the graph, close."""
