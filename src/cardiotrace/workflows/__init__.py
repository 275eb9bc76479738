"""One module per verb: configuration in, result out. This is the Python API behind the command line.

The names below are public and loaded when first used. The modules that hold them are private, but for functions that
are called as their modules are, such as `cardiotrace.workflows.evaluate.evaluate`: see `core.public`.
"""

from typing import TYPE_CHECKING

from cardiotrace.core.lazy import lazy_names

if TYPE_CHECKING:
    from cardiotrace.core.reporter import ProgressReporter as ProgressReporter
    from cardiotrace.workflows.adapt import adapt_model as adapt_model
    from cardiotrace.workflows.analyse import AnalyseConfig as AnalyseConfig
    from cardiotrace.workflows.anonymise import AnonymiseConfig as AnonymiseConfig
    from cardiotrace.workflows.classify import ClassifyTableConfig as ClassifyTableConfig
    from cardiotrace.workflows.classify import ClassifyTrainConfig as ClassifyTrainConfig
    from cardiotrace.workflows.classify import classify_table as classify_table
    from cardiotrace.workflows.classify import train_classifier as train_classifier
    from cardiotrace.workflows.compare import CompareConfig as CompareConfig
    from cardiotrace.workflows.compare import compare_runs as compare_runs
    from cardiotrace.workflows.configs import AdaptConfig as AdaptConfig
    from cardiotrace.workflows.configs import CrossvalConfig as CrossvalConfig
    from cardiotrace.workflows.configs import ExportConfig as ExportConfig
    from cardiotrace.workflows.configs import JoinConfig as JoinConfig
    from cardiotrace.workflows.configs import ProbeConfig as ProbeConfig
    from cardiotrace.workflows.configs import SweepConfig as SweepConfig
    from cardiotrace.workflows.configs import TrainConfig as TrainConfig
    from cardiotrace.workflows.convert import ConvertConfig as ConvertConfig
    from cardiotrace.workflows.demo import DemoConfig as DemoConfig
    from cardiotrace.workflows.evaluate import EvaluateConfig as EvaluateConfig
    from cardiotrace.workflows.export import export_run as export_run
    from cardiotrace.workflows.join import join_models as join_models
    from cardiotrace.workflows.measure import MeasureConfig as MeasureConfig
    from cardiotrace.workflows.measure import measure_exams as measure_exams
    from cardiotrace.workflows.nnunet import export_nnunet as export_nnunet
    from cardiotrace.workflows.phantom import WriteConfig as WriteConfig
    from cardiotrace.workflows.phantom import write_phantoms as write_phantoms
    from cardiotrace.workflows.probe import probe_runs as probe_runs
    from cardiotrace.workflows.segment import SegmentConfig as SegmentConfig
    from cardiotrace.workflows.services.analysis import Analyser as Analyser
    from cardiotrace.workflows.services.analysis import Analysis as Analysis
    from cardiotrace.workflows.services.dataset import open_dataset as open_dataset
    from cardiotrace.workflows.services.report_form import ReportConfig as ReportConfig
    from cardiotrace.workflows.sweep.run import run_sweep as run_sweep
    from cardiotrace.workflows.train import TrainedModel as TrainedModel
    from cardiotrace.workflows.train import train_model as train_model

_PLACES = {
    "AdaptConfig": "workflows.configs",
    "AnalyseConfig": "workflows.analyse",
    "Analyser": "workflows.services.analysis",
    "Analysis": "workflows.services.analysis",
    "AnonymiseConfig": "workflows.anonymise",
    "ClassifyTableConfig": "workflows.classify",
    "ClassifyTrainConfig": "workflows.classify",
    "CompareConfig": "workflows.compare",
    "ConvertConfig": "workflows.convert",
    "CrossvalConfig": "workflows.configs",
    "DemoConfig": "workflows.demo",
    "EvaluateConfig": "workflows.evaluate",
    "ExportConfig": "workflows.configs",
    "JoinConfig": "workflows.configs",
    "MeasureConfig": "workflows.measure",
    "ProbeConfig": "workflows.configs",
    "ProgressReporter": "core.reporter",
    "ReportConfig": "workflows.services.report_form",
    "SegmentConfig": "workflows.segment",
    "SweepConfig": "workflows.configs",
    "TrainConfig": "workflows.configs",
    "TrainedModel": "workflows.train",
    "WriteConfig": "workflows.phantom",
    "adapt_model": "workflows.adapt",
    "classify_table": "workflows.classify",
    "compare_runs": "workflows.compare",
    "export_nnunet": "workflows.nnunet",
    "export_run": "workflows.export",
    "join_models": "workflows.join",
    "measure_exams": "workflows.measure",
    "open_dataset": "workflows.services.dataset",
    "probe_runs": "workflows.probe",
    "run_sweep": "workflows.sweep.run",
    "train_classifier": "workflows.classify",
    "train_model": "workflows.train",
    "write_phantoms": "workflows.phantom",
}
__all__ = sorted(_PLACES)
__getattr__, __dir__ = lazy_names(__name__, _PLACES)
