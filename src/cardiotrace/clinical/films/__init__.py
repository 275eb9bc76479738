"""What whole films tell: means over beats, rates of ejection and filling, rhythm, and what is pumped in a minute."""
