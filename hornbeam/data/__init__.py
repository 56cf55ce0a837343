"""From files and user classes on disk to batches."""
