"""What all tests share."""

import cv2
import torch
from hypothesis import settings

# Small tensors gain nothing from threads, and on a busy machine waiting for one another costs them dearly.
torch.set_num_threads(1)
cv2.setNumThreads(1)

# A busy machine makes single examples slow; that is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
