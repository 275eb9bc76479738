from cardiotrace.core.terms import Phase, Structure, View


def test_words_are_their_own_text():
    assert f"{Structure.LV} {View.A4C} {Phase.ED}" == "LV A4C ED"


def test_apical_views_have_the_apex_at_the_top():
    assert [view for view in View if view.is_apical] == [View.A2C, View.A3C, View.A4C]
