"""An authorizer to test with."""

from typing import Any

from jupyter_server.auth import AllowAllAuthorizer


class AllButBlueno(AllowAllAuthorizer):
    """Refuses every resource of Blueno. Asynchronous, as authorizers may be."""

    async def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return not resource.startswith("blueno:")
