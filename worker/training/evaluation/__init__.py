"""What a checkpoint is worth on songs that it did not learn from, as figures, pages and pictures."""
