"""What the sources say, as data: no database here."""
