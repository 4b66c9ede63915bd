"""The command ``trustedproxy``; its tests need what the extra ``cli`` brings."""
