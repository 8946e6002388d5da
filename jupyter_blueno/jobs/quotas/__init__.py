"""How much of the machines a team and a person may hold, and who holds it."""
