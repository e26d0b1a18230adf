"""The invented demonstration set, part by part."""
