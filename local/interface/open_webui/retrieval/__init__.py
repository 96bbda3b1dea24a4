"""Documents: chunks, embeddings and the store that searches them."""
