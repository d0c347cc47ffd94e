"""Results: rows and absences in, one ranked report out."""
