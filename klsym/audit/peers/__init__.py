"""Other people's implementations as subjects: what they are asked, what is true, and what is wrong with the answers."""
