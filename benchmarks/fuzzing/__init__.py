"""What benchmarks/fuzz.py is made of: changes to bytes, the readers, and the process that reads."""
