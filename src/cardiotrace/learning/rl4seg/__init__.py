"""RL4Seg: a network that segments learns on images without a label from a reward that judges its answers.

Source:
    Judge et al. 2024, MICCAI, arXiv:2406.17902.
"""
