"""A sample province: nobody in it is real."""
