"""Use of a trained model: one ONNX file in, label maps out; no PyTorch."""

from cardiotrace.inference.engine import Engine, make_engine
from cardiotrace.inference.model_file import Model, open_seal, read_model, read_spec, seal, verify
from cardiotrace.inference.predictor import Predictor, open_predictor
from cardiotrace.inference.segmentation import Segmentation
from cardiotrace.inference.spec import Calibration, ModelSpec
from cardiotrace.inference.zoo import default_model, find_model, list_models, load_model

__all__ = [
    "Calibration",
    "Engine",
    "Model",
    "ModelSpec",
    "Predictor",
    "Segmentation",
    "default_model",
    "find_model",
    "list_models",
    "load_model",
    "make_engine",
    "open_predictor",
    "open_seal",
    "read_model",
    "read_spec",
    "seal",
    "verify",
]
