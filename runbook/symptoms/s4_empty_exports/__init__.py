"""S4.empty-exports: run-all came out empty, or would have and was refused."""
