"""Stories that are told once and played over every face that has what they tell of."""
