"""Files that mean harm, made by functions."""
