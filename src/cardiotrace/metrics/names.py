"""What papers call the scores."""

SHORT_NAMES = {
    "dice": "Dice", "jaccard": "IoU", "roc_auc": "AUC", "recall": "sensitivity", "cldice": "clDice",
    "hausdorff_mm": "HD", "hausdorff95_mm": "HD95", "mean_absolute_mm": "MAD", "average_symmetric_mm": "ASSD",
}  # fmt: skip
"""What papers call a score, where it is not its name."""


def short_name(score: str) -> str:
    """What papers call a score.

    Example:
        >>> short_name("mean_absolute_mm"), short_name("average_precision")
        ('MAD', 'average precision')
    """
    return SHORT_NAMES.get(score, score.replace("_", " "))
