"""What starts from data instead of a density: divergences of samples, counts and log ratios, each with its doubt."""
