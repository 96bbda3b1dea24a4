"""Documents: pieces, embeddings and the store that finds them."""
