import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.learning.models.network import NetworkSpec
from cardiotrace.learning.models.nnunet import nnunet2d
from cardiotrace.learning.planning import Fingerprint, fingerprint, plan, plan_recipe, topology
from cardiotrace.learning.training.recipe import recipe_from_plain


def test_shapes_are_compared_at_the_target_spacing():
    planned = fingerprint([(100, 200), (200, 200), (400, 400)], [(2.0, 1.0), (1.0, 1.0), (1.0, 1.0)])
    assert planned.spacing_mm == (1.0, 1.0)
    assert planned.shape == (200, 200)  # the first is 200 rows once resampled
    assert planned.images == 3


def test_one_file_without_spacing_makes_all_be_counted_in_pixels():
    planned = fingerprint([(100, 200), (100, 200)], [(2.0, 1.0), None])
    assert (planned.spacing_mm, planned.has_spacing) == ((1.0, 1.0), False)
    with pytest.raises(InputError, match="no image"):
        fingerprint([], [])


def test_square_pixels_are_pooled_alike_down_to_four():
    strides, kernels = topology((256, 224), (1.4, 1.4))
    assert strides == ((1, 1), *((2, 2),) * 5)  # 224 / 32 = 7, which is too short to halve again
    assert set(kernels) == {(3, 3)}


def test_the_finer_axis_is_pooled_first_and_the_coarser_convolved_later():
    strides, kernels = topology((640, 1024), (0.308, 0.154))
    assert strides[:3] == ((1, 1), (1, 2), (2, 2))
    assert kernels[:3] == ((1, 3), (3, 3), (3, 3))
    assert topology((1024, 640), (0.154, 0.308))[0][1] == (2, 1)


def test_agrees_with_what_nnunet_planned_for_native_camus_pixels():
    """nnU-Net 2.8.1 on 40 images of 0.154 x 0.308 mm: patch 768x576, 8 stages, batch 2, 46.3 million parameters.

    The files have 778 rows; nnU-Net cuts off black borders first, here taken to be at least 10 rows.
    """
    planned = plan(Fingerprint((768, 549), (0.154, 0.308), 40))
    assert planned.patch == (768, 576)
    assert planned.batch == 2
    assert len(planned.network.widths) == 8
    assert planned.poolings == (7, 6)
    millions = sum(weights.numel() for weights in nnunet2d(planned.network, NetworkSpec(1, 4)).parameters()) / 1e6
    assert f"{millions:.1f}" == "46.3"


def test_memory_first_goes_into_the_patch_then_into_the_batch():
    of = Fingerprint((2000, 1600), (0.3, 0.3), 5000)
    plans = [plan(of, memory_gb=memory) for memory in (4, 8, 64)]
    areas = [planned.patch[0] * planned.patch[1] for planned in plans]
    assert areas == sorted(areas)
    assert areas[0] < areas[1]
    assert plans[0].batch >= 2
    small = Fingerprint((256, 216), (1.4, 1.4), 1800)
    assert plan(small, memory_gb=8).patch == plan(small, memory_gb=4).patch
    assert plan(small, memory_gb=8).batch == pytest.approx(2 * plan(small, memory_gb=4).batch, abs=1)


def test_a_batch_holds_at_most_a_twentieth_of_the_data():
    assert plan(Fingerprint((256, 256), (1.0, 1.0), 100)).batch == 5
    assert plan(Fingerprint((256, 256), (1.0, 1.0), 10)).batch == 2


@pytest.mark.parametrize("has_spacing", [True, False])
def test_a_planned_recipe_can_be_trained(has_spacing):
    planned = plan(Fingerprint((200, 160), (0.5, 1.0), 400, has_spacing))
    recipe = recipe_from_plain(plan_recipe(planned, {"name": "camus", "views": ["4CH"]}, name="planned"))
    assert recipe.training.batch_size == planned.batch
    assert tuple(recipe.preprocessing.transform_for((300, 300), (0.3, 0.3)).shape) == planned.patch
    assert recipe.architecture.options["strides"][1] == [2, 1]


@pytest.mark.parametrize("memory_gb", [0, -1, float("nan"), float("inf")])
def test_memory_is_a_positive_number(memory_gb):
    with pytest.raises(InputError, match="memory must be a positive number of GB"):
        plan(Fingerprint((256, 256), (0.3, 0.3), 100), memory_gb=memory_gb)


@pytest.mark.parametrize(("shape", "memory_gb"), [((256, 256), 1e-9), ((4, 4), 8.0)])
def test_where_no_network_fits_that_is_said(shape, memory_gb):
    with pytest.raises(InputError, match=r"no network fits: patches would have .*x.* pixels"):
        plan(Fingerprint(shape, (0.3, 0.3), 100), memory_gb=memory_gb)


def test_slices_that_lie_far_apart_are_brought_to_a_fine_distance():
    """ACDC-like: ten of a hundred stacks are at 5 mm, which becomes the distance of all."""
    shapes = [(10, 216, 256)] * 100
    spacings = [(5.0 if number < 11 else 10.0, 1.5, 1.5) for number in range(100)]
    planned = fingerprint(shapes, spacings)
    assert planned.spacing_mm == (5.0, 1.5, 1.5)
    assert planned.shape == (20, 216, 256)
    # Of nearly cubic voxels it is the median, as along all other axes.
    assert fingerprint([(100, 100, 100)] * 3, [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (3.0, 1.0, 1.0)]).spacing_mm[0] == 2.0


def test_agrees_with_what_nnunet_plans_for_acdc_in_three_dimensions():
    """Isensee et al. 2021, supplement: patch 20x256x224, spacing 5 x 1.56 x 1.56 mm, flat kernels first."""
    planned = plan(Fingerprint((18, 237, 208), (5.0, 1.5625, 1.5625), 200))
    assert planned.patch == (20, 256, 224)
    assert planned.network.kernels[:2] == ((1, 3, 3), (3, 3, 3))
    assert planned.network.strides == ((1, 1, 1), (1, 2, 2), (2, 2, 2), (2, 2, 2), (1, 2, 2), (1, 2, 2))
    assert planned.network.widths == (32, 64, 128, 256, 320, 320)
    assert planned.poolings == (2, 5, 5)


def test_a_plan_for_volumes_is_a_recipe_of_windows_that_slide():
    planned = plan(Fingerprint((12, 300, 190), (8.0, 1.5, 1.5), 40), memory_gb=2)
    values = plan_recipe(planned, {"name": "acdc"}, name="some", mirrored=True)
    assert values["preprocessing"][0] == {"name": "resample", "height_mm": 1.5, "width_mm": 1.5, "depth_mm": 8.0}
    assert values["training"]["crop"] == list(planned.patch)
    # Planes are no smaller than the window, nor than the median image.
    assert values["preprocessing"][1]["height"] >= 300 > planned.patch[1]
    recipe = recipe_from_plain(values)
    assert recipe.axes == 3
