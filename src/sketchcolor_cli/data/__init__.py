"""The dataset engine: choosing, packing, checking and reviewing coloured pictures to learn from."""
