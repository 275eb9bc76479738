"""How much the wall of the left ventricle shortens, in long-axis views."""
