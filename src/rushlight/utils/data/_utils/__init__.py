"""How a DataLoader makes batches: collate, fetch, the worker process, and the way arrays travel back from it."""
