"""The indexed knowledge base: packs of Markdown pages, found and cited."""
