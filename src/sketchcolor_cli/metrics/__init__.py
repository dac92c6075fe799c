"""What can be measured of pictures, and of two sets of them."""
