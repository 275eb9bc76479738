"""Size and motion of the wall and of the valve planes, in long-axis views."""
