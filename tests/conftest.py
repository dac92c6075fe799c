"""What all tests share."""

import cv2
import torch

# Small tensors gain nothing from threads, and on a busy machine waiting for one another costs them dearly.
torch.set_num_threads(1)
cv2.setNumThreads(1)
