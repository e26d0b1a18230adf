"""Files that people attach: which kinds are taken, and where their content lies."""
