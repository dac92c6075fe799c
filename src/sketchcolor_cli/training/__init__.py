"""The training engine; the only room that imports fastai, and that only inside ``stages`` and ``callbacks``."""
