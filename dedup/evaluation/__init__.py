"""Score clusters against labels, review pairs, fit and calibrate the models."""
