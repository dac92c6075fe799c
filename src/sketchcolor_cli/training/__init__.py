"""The training engine; the only room with fastai, and that only in ``stages`` and ``callbacks``."""
