"""The extractors that come with sketchcolor; each is a plugin like any stranger's."""
