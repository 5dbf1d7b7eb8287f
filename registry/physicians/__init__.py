"""Physicians and what the national register says of them."""
