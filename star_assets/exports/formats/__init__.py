"""Source formats: each inspects and reads the raw files of one kind. CSV and JSON are here; packages add others."""
