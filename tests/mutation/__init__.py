"""Small changes to product code, each of which some test should notice: ``make mutants``."""
