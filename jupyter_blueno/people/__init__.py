"""People of a hub: who is there, who is invited, who leaves."""
