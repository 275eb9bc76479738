"""The evaluator says what scikit-learn says, and its contributions add up."""

import numpy as np
import pytest

from cardiotrace.clinical.groups.regression import Regression, first_complete, softmax
from tests.clinical.groups.classifiers import EF, VOLUME, regression


@pytest.mark.parametrize("groups", [2, 5])
def test_probabilities_are_those_of_scikit_learn(groups):
    linear = pytest.importorskip("sklearn.linear_model")
    from cardiotrace.evaluation.groups.fit import fit_regression
    from cardiotrace.evaluation.groups.table import GroupRow, GroupTable

    rng = np.random.default_rng(groups)
    numbers = np.repeat(np.arange(groups), 12)
    values = rng.normal(size=(len(numbers), 4)) + np.outer(numbers, [1.0, -0.5, 0.0, 2.0])
    rows = [
        GroupRow(f"p{i:03d}", f"p{i:03d}", f"g{number}", dict(zip("abcd", row.tolist(), strict=True)))
        for i, (number, row) in enumerate(zip(numbers, values, strict=True))
    ]
    found = fit_regression(GroupTable(tuple(rows)), tuple("abcd"))
    unseen = rng.normal(size=(50, 4))
    standardised = (values - values.mean(axis=0)) / values.std(axis=0)
    alike = [
        linear.LogisticRegression(C=strength, max_iter=10_000).fit(standardised, numbers)
        for strength in (0.1, 1.0, 10.0, 100.0)
    ]
    away = (unseen - values.mean(axis=0)) / values.std(axis=0)
    chances = softmax(found.logits(unseen))  # before the temperature
    assert min(np.abs(each.predict_proba(away) - chances).max() for each in alike) < 1e-9


def test_contributions_add_up_to_the_log_odds_against_the_mean_of_all_groups():
    rng = np.random.default_rng(0)
    made = Regression(
        ("a", "b", "c"), rng.normal(size=3), rng.uniform(1, 2, 3), rng.normal(size=(4, 3)), rng.normal(size=4), 1.7,
        rng.normal(size=(4, 3)), np.eye(3), 3.0,
    )  # fmt: skip
    values = rng.normal(size=3)
    logs = np.log(made.probabilities(values))
    told = made.contributions(values).sum(axis=1) + (made.offsets - made.offsets.mean()) / made.temperature
    np.testing.assert_allclose(told, logs - logs.mean(), atol=1e-12)


def test_the_distance_is_that_to_the_nearest_group():
    made = regression()
    assert made.distance(np.array([60.0, 70.0])) == 0.0
    assert made.distance(np.array([45.0, 100.0])) == pytest.approx(
        np.sqrt(0.25 + 0.25) / np.sqrt(2)
    )  # of the other group
    assert made.distance(np.array([60.0 + 50.0, 70.0])) == pytest.approx(5.0 / np.sqrt(2))


def test_the_first_regression_whose_indices_are_known_counts():
    both, one = regression(), regression((EF,))
    assert first_complete((both, one), {EF, VOLUME, "more"}) is both
    assert first_complete((both, one), {EF}) is one
    assert first_complete((both, one), {VOLUME}) is None
