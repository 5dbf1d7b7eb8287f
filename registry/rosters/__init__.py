"""A hospital's roster: one upload, every row judged like a single filing, the good ones filed and attested."""
