"""One fit of fastai: data, learner, callbacks, metrics, processes."""
