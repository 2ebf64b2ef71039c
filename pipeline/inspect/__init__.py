"""What people and checks look at: verification, examples, one file explained, limits calibrated, a middle completed."""
