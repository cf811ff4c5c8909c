"""Where jobs live: a folder, or a bucket with a prefix."""
