"""The trainings that a release and its ablations consist of, and the documents that are made of them."""
