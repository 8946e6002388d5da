"""From nothing to a team's hub: look, plan, ask, do; and the way back."""
