"""Rules: screens and the score; arrays in, terms and components out."""
