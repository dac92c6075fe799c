"""What a page is: its colours, screentone, gutters, balloons and regions."""
