"""The types everything speaks; numpy and the standard library only."""
