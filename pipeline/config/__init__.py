"""What a user can set, checked before anything is written."""
