"""The catalogue of reasons, one file per subject; `domain.reasons` joins them and gives them parameters."""
