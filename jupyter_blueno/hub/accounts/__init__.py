"""What runs in the hub's own process: invitations, passwords, and people who leave.

It shares the hub's database, whose session is used by its one thread alone: what
happens between two commits happens at once.
"""

from pathlib import Path

SCOPE = "custom:blueno:people"  # what the service may ask of the hub
TEMPLATES = Path(__file__).parent / "templates"
