"""What happens after the network: choosing colours, smoothing, enlarging, compositing."""
