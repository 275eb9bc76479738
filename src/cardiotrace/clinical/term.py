"""What quantities are called: in files, in sentences, in tables, in short."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

UNIT_SIGNS = {
    "ratio": "",
    "percent": "%",
    "cm2": "cm²",
    "px2": "px²",
    "ml/m2": "ml/m²",
    "g/m2": "g/m²",
    "bpm": "/min",
    "l/min/m2": "l/min/m²",
    "1/s": "/s",
}
"""How units are written on a page, where it is not as they are called."""


def key_of(name: str, unit: str) -> str:
    """Name and unit of a quantity as one word.

    Example:
        >>> key_of("left_ventricular_mass_index", "g/m2")
        'left_ventricular_mass_index_g_per_m2'
    """
    return f"{name}_{unit.replace('/', '_per_')}"


@dataclass(frozen=True)
class Term:
    """One quantity and its names.

    Example:
        >>> found = TERMS["left_ventricular_ejection_fraction"]
        >>> found.key, found.in_sentence, found.qualified, found.sign
        ('left_ventricular_ejection_fraction_percent', 'ejection fraction', 'LV EF', '%')
    """

    name: str
    """As files have it."""
    unit: str
    """In which it is reported where pixel sizes are known."""
    words: str
    """As a heading."""
    short: str
    """As the head of a narrow column."""
    chamber: str = "LV"
    """"LV", "RV" or "LA", "heart" of all of it; "" where it is not of a heart."""

    @property
    def key(self) -> str:
        """Name and unit as one word."""
        return key_of(self.name, self.unit)

    @property
    def sign(self) -> str:
        """Sign of the unit."""
        return UNIT_SIGNS.get(self.unit, self.unit)

    @property
    def column(self) -> str:
        """Head of its column in `summary.csv`: "edv_ml"."""
        return f"{self.short.lower().replace(' ', '_')}_{'percent' if self.unit == 'percent' else self.sign}"

    @property
    def in_sentence(self) -> str:
        """The words with a small letter, unless they begin with an abbreviation."""
        return self.words if self.words[1].isupper() else self.words[0].lower() + self.words[1:]

    @property
    def qualified(self) -> str:
        """The short word with its chamber."""
        return self.short if self.short.startswith(self.chamber) else f"{self.chamber} {self.short}"


TERMS: Mapping[str, Term] = {
    term.name: term
    for term in (
        Term("left_ventricular_ejection_fraction", "percent", "Ejection fraction", "EF"),
        Term(
            "left_ventricular_calibrated_ejection_fraction",
            "percent",
            "Ejection fraction, calibrated to biplane",
            "calibrated EF",
        ),
        Term("left_ventricular_end_diastolic_volume", "ml", "End-diastolic volume", "EDV"),
        Term("left_ventricular_end_systolic_volume", "ml", "End-systolic volume", "ESV"),
        Term("left_ventricular_stroke_volume", "ml", "Stroke volume", "SV"),
        Term("left_ventricular_end_diastolic_volume_index", "ml/m2", "End-diastolic volume index", "EDV index"),
        Term("left_ventricular_end_systolic_volume_index", "ml/m2", "End-systolic volume index", "ESV index"),
        Term("heart_rate", "bpm", "Heart rate", "heart rate", "heart"),
        Term("left_ventricular_cardiac_output", "l/min", "Cardiac output", "CO"),
        Term("left_ventricular_cardiac_index", "l/min/m2", "Cardiac index", "CI"),
        Term("left_ventricular_peak_ejection_rate", "ml/s", "Peak ejection rate", "PER"),
        Term("left_ventricular_relative_peak_ejection_rate", "1/s", "Peak ejection rate per EDV", "PER/EDV"),
        Term("left_ventricular_time_to_peak_ejection", "ms", "Time to peak ejection", "TPE"),
        Term("left_ventricular_peak_filling_rate", "ml/s", "Peak filling rate", "PFR"),
        Term("left_ventricular_relative_peak_filling_rate", "1/s", "Peak filling rate per EDV", "PFR/EDV"),
        Term("left_ventricular_time_to_peak_filling", "ms", "Time to peak filling", "TPF"),
        Term("left_ventricular_diastolic_volume_recovery", "percent", "Diastolic volume recovery, 80 %", "DVR80"),
        Term("left_ventricular_end_diastolic_area", "cm2", "LV area, end-diastole", "LV ED area"),
        Term("left_ventricular_end_systolic_area", "cm2", "LV area, end-systole", "LV ES area"),
        Term("left_ventricular_end_diastolic_length", "cm", "LV length, end-diastole", "LV ED length"),
        Term("left_ventricular_end_systolic_length", "cm", "LV length, end-systole", "LV ES length"),
        Term("left_ventricular_fractional_area_change", "percent", "Fractional area change", "FAC"),
        Term("left_atrial_area", "cm2", "LA area, end-systole", "LA area", "LA"),
        Term("left_atrial_length", "cm", "LA length, end-systole", "LA length", "LA"),
        Term("left_atrial_volume", "ml", "LA volume, end-systole", "LA volume", "LA"),
        Term("left_atrial_volume_index", "ml/m2", "LA volume index", "LA volume index", "LA"),
        Term("left_atrial_reservoir_strain", "percent", "LA strain, reservoir", "LA reservoir", "LA"),
        Term("left_atrial_conduit_strain", "percent", "LA strain, conduit", "LA conduit", "LA"),
        Term("left_atrial_pump_strain", "percent", "LA strain, pump", "LA pump", "LA"),
        Term("left_ventricular_mass", "g", "Myocardial mass", "mass"),
        Term("left_ventricular_mass_index", "g/m2", "Myocardial mass index", "mass index"),
        Term("left_ventricular_end_systolic_mass", "g", "Myocardial mass, end-systole", "ES mass"),
        Term("left_ventricular_maximal_wall_thickness", "mm", "Greatest wall thickness", "max. thickness"),
        Term("left_ventricular_mean_wall_thickness", "mm", "Mean wall thickness", "mean thickness"),
        Term(
            "left_ventricular_endocardial_circumferential_strain",
            "percent",
            "Endocardial circumferential strain",
            "GCS endo",
        ),
        Term(
            "left_ventricular_midwall_circumferential_strain", "percent", "Mid-wall circumferential strain", "GCS mid"
        ),
        Term(
            "left_ventricular_epicardial_circumferential_strain",
            "percent",
            "Epicardial circumferential strain",
            "GCS epi",
        ),
        Term("left_ventricular_radial_strain", "percent", "Radial strain", "GRS"),
        Term("left_ventricular_global_longitudinal_strain", "percent", "Global longitudinal strain", "GLS"),
        Term(
            "left_ventricular_peak_systolic_longitudinal_strain",
            "percent",
            "Longitudinal strain, systolic peak",
            "peak GLS",
        ),
        Term(
            "left_ventricular_post_systolic_longitudinal_strain",
            "percent",
            "Longitudinal strain, post-systolic peak",
            "post-systolic GLS",
        ),
        Term("left_ventricular_longitudinal_strain_drift", "percent", "Strain drift", "GLS drift"),
        Term("mitral_annular_plane_systolic_excursion", "mm", "MAPSE", "MAPSE"),
        Term("mitral_annular_plane_systolic_excursion_septal", "mm", "MAPSE, septal", "septal MAPSE"),
        Term("mitral_annular_plane_systolic_excursion_lateral", "mm", "MAPSE, lateral", "lateral MAPSE"),
        Term("tricuspid_annular_plane_systolic_excursion", "mm", "TAPSE", "TAPSE", "RV"),
        Term(
            "left_ventricular_end_diastolic_sphericity_index",
            "ratio",
            "Sphericity index, end-diastole",
            "ED sphericity",
        ),
        Term("left_ventricular_end_systolic_sphericity_index", "ratio", "Sphericity, end-systole", "ES sphericity"),
        Term("left_ventricular_end_diastolic_wall_thickness", "mm", "Wall thickness, end-diastole", "ED thickness"),
        Term("left_ventricular_end_systolic_wall_thickness", "mm", "Wall thickness, end-systole", "ES thickness"),
        Term("right_ventricular_ejection_fraction", "percent", "RV ejection fraction", "RV EF", "RV"),
        Term("right_ventricular_end_diastolic_volume", "ml", "RV end-diastolic volume", "RV EDV", "RV"),
        Term("right_ventricular_end_systolic_volume", "ml", "RV end-systolic volume", "RV ESV", "RV"),
        Term(
            "right_ventricular_end_diastolic_volume_index",
            "ml/m2",
            "RV end-diastolic volume index",
            "RV EDV index",
            "RV",
        ),
        Term(
            "right_ventricular_end_systolic_volume_index", "ml/m2", "RV end-systolic volume index", "RV ESV index", "RV"
        ),
        Term("right_ventricular_stroke_volume", "ml", "RV stroke volume", "RV SV", "RV"),
        Term("right_ventricular_end_diastolic_area", "cm2", "RV area, end-diastole", "RV ED area", "RV"),
        Term("right_ventricular_end_systolic_area", "cm2", "RV area, end-systole", "RV ES area", "RV"),
        Term("right_ventricular_fractional_area_change", "percent", "RV fractional area change", "RV FAC", "RV"),
        Term("vessel_density", "percent", "Vessel density", "vessel density", ""),
    )
}
"""Every quantity by its name, in the order of tables."""


def terms(names: Iterable[str]) -> tuple[Term, ...]:
    """The terms of some quantities, in the order given."""
    return tuple(TERMS[name] for name in names)
