"""Comics as files: CBZ, CBT, EPUB, CBR and PDF are read page by page and written back as what they were."""
