"""Knowledge that a user adds to the packs."""
