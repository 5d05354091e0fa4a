"""A model: purpose, data, preprocessing, training, what it must reach, how it is explained."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from ordain.specs.kinds.checks import ADDRESS
from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import (
    Bool,
    Digest,
    Duration,
    EstatePath,
    Float,
    Int,
    Name,
    Percent,
    Scalar,
    about,
)


@declared
class Split:
    """How rows are divided; nothing is ever tuned on the test part."""

    by: Annotated[Literal["random", "time", "entity"], about("what divides the rows")] = "random"
    train: Annotated[str, about("share such as 60%, or range of days such as ..2024-06-30")] = "60%"
    validation: Annotated[str, about("share or range of days")] = "20%"
    test: Annotated[str, about("share or range of days")] = "20%"
    purge: Annotated[Duration | None, about("gap that is left out between the parts")] = None


@declared
class Selection:
    """Feature selection, fitted inside the training part only."""

    method: Annotated[
        Literal["mutual_info", "anova", "variance"],
        about("score that ranks the encoded columns"),
    ]
    keep: Annotated[Int, about("how many encoded columns stay", ge=1)]


@declared
class Features:
    """Which columns are features."""

    include: Annotated[
        tuple[str, ...],
        about("only these; empty means every column with the role feature"),
    ] = ()
    exclude: Annotated[tuple[str, ...], about("never these")] = ()
    select: Annotated[Selection | None, about("feature selection")] = None


@declared
class Outliers:
    """What happens to extreme values."""

    clip: Annotated[
        tuple[str, str] | None,
        about("lowest and highest quantile kept, such as [p01, p99]"),
    ] = None
    limits: Annotated[
        dict[str, tuple[Float, Float]],
        about("lowest and highest value kept, by feature"),
    ] = field(default_factory=dict)


@declared
class Splines:
    """Curves instead of lines, for models that add columns up."""

    knots: Annotated[
        Int,
        about(
            "quantiles of the training part between which the pieces of a curve lie", ge=3, le=20
        ),
    ] = 5
    degree: Annotated[Int, about("degree of each piece; 1 is a bent line", ge=1, le=3)] = 3
    features: Annotated[
        tuple[str, ...],
        about("numeric features; empty means all that are in no product"),
    ] = ()


@declared
class Numeric:
    """Preprocessing of numbers."""

    impute: Annotated[
        Literal["median", "mean", "constant", "none"],
        about("what replaces a missing value"),
    ] = "median"
    fill: Annotated[Float, about("the value of `impute: constant`")] = 0.0
    indicator: Annotated[Bool, about("whether a column says that the value was missing")] = False
    outliers: Annotated[Outliers, about("what happens to extreme values")] = Outliers()
    scale: Annotated[
        Literal["standard", "minmax", "robust", "none", "auto"],
        about("scaling; auto scales for all but trees"),
    ] = "auto"
    monotone: Annotated[
        dict[str, Literal["increasing", "decreasing"]],
        about("direction in which a feature may move the output"),
    ] = field(default_factory=dict)
    splines: Annotated[
        Splines | None,
        about("columns that let a linear model follow a curve; after scaling"),
    ] = None


@declared
class Categorical:
    """Preprocessing of categories."""

    encode: Annotated[
        Literal["one_hot", "ordinal", "ordinal_by_target", "target"],
        about("encoding"),
    ] = "one_hot"
    folds: Annotated[
        Int,
        about("folds of `encode: target`, so that no row is encoded by its own outcome", ge=2),
    ] = 5


@declared
class Dates:
    """Preprocessing of dates."""

    parts: Annotated[
        tuple[
            Literal["year", "quarter", "month", "day", "weekday", "hour", "day_of_year", "days"],
            ...,
        ],
        about("numbers that a date becomes; days counts from 1970-01-01"),
    ] = ()


@declared
class Texts:
    """Preprocessing of free text: term frequency times inverse document frequency."""

    terms: Annotated[Int, about("how many terms are kept, the most frequent first", ge=1)] = 500
    ngrams: Annotated[tuple[Int, Int], about("fewest and most words of a term")] = (1, 1)
    min_rows: Annotated[Int, about("rows of the training part that must hold a term", ge=1)] = 5


@declared
class Preprocessing:
    """What happens to the columns before the estimator."""

    numeric: Annotated[Numeric, about("numbers")] = Numeric()
    categorical: Annotated[Categorical, about("categories")] = Categorical()
    dates: Annotated[Dates, about("dates")] = Dates()
    texts: Annotated[Texts, about("free text")] = Texts()
    interactions: Annotated[
        tuple[tuple[str, str], ...],
        about("pairs of numeric features whose product is a column; for linear models"),
    ] = ()


@declared
class Budget:
    """How much a search may do; trials decide the result, time only aborts."""

    trials: Annotated[Int, about("number of trials", ge=1)]
    abort_after: Annotated[Duration | None, about("the search fails when it takes longer")] = None


@declared
class Alternatives:
    """A search for a less discriminatory alternative among the trials."""

    metric: Annotated[Literal["adverse_impact_ratio"], about("fairness that is compared")] = (
        "adverse_impact_ratio"
    )
    attributes: Annotated[
        tuple[str, ...],
        about("protected columns; empty means all of the dataset"),
    ] = ()
    max_loss: Annotated[
        Float,
        about("how much ROC AUC an alternative may lose to the best trial", ge=0),
    ] = 0.005
    variants: Annotated[
        Int,
        about("variants of the best trial that are tried for this, after the budget", ge=0, le=100),
    ] = 12


@declared
class AutoML:
    """A seeded search over families of estimators."""

    families: Annotated[
        tuple[
            Literal[
                "logistic_spline",
                "logistic_regression",
                "ridge_spline",
                "ridge",
                "hist_gradient_boosting",
                "extra_trees",
                "lightgbm",
                "xgboost",
                "kmeans",
                "gaussian_mixture",
            ],
            ...,
        ],
        about(
            "families that are tried; where there is an outcome, a linear one is tried in any case",
            min_length=1,
        ),
    ]
    budget: Annotated[Budget, about("how much the search may do")]
    metric: Annotated[
        Literal[
            "roc_auc",
            "log_loss",
            "brier",
            "accuracy",
            "balanced_accuracy",
            "macro_f1",
            "ece",
            "rmse",
            "mae",
            "r2",
        ]
        | None,
        about(
            "metric that ranks the trials; by default log_loss of a classification and rmse of a "
            "regression"
        ),
    ] = None
    folds: Annotated[Int, about("folds that the training part is cut into", ge=2, le=20)] = 5
    k_max: Annotated[
        Int | None,
        about("most clusters that are tried; by default 8", ge=2, le=50),
    ] = None
    alternatives: Annotated[
        Alternatives | None,
        about("a search for a less discriminatory alternative among the trials"),
    ] = None


@declared
class Training:
    """The estimator and what pins its result."""

    estimator: Annotated[
        Literal[
            "logistic_regression",
            "linear_regression",
            "ridge",
            "lasso",
            "elastic_net",
            "poisson",
            "gamma",
            "decision_tree",
            "random_forest",
            "extra_trees",
            "hist_gradient_boosting",
            "kmeans",
            "gaussian_mixture",
            "lightgbm",
            "xgboost",
        ]
        | None,
        about("a named estimator of scikit-learn, or of an extra (lightgbm, xgboost)"),
    ] = None
    parameters: Annotated[
        dict[str, Scalar],
        about("parameters of the estimator, by the names of its library"),
    ] = field(default_factory=dict)
    automl: Annotated[AutoML | None, about("a search instead of a named estimator")] = None
    calibrate: Annotated[
        Literal["isotonic", "sigmoid"] | None,
        about("calibration of a probability on the validation part; for two outcomes"),
    ] = None
    seed: Annotated[Int, about("seed of everything random", ge=0)] = 7
    threads: Annotated[
        Int,
        about("threads of one training job; 1 keeps results equal bit for bit", ge=1),
    ] = 1


@declared
class MetricGate:
    """A metric that a version must reach on the test part."""

    name: Annotated[
        Literal[
            "roc_auc",
            "log_loss",
            "brier",
            "accuracy",
            "balanced_accuracy",
            "macro_f1",
            "ece",
            "rmse",
            "mae",
            "r2",
            "silhouette",
            "davies_bouldin",
            "stability",
        ],
        about("metric"),
    ]
    population: Annotated[
        Literal["all", "labelled"],
        about(
            "whom the claim is about; `all` needs outcomes seen by chance where others are hidden"
        ),
    ] = "all"
    min: Annotated[Float | None, about("smallest accepted value")] = None
    max: Annotated[Float | None, about("largest accepted value")] = None
    bound: Annotated[
        Literal["value", "lower", "upper"],
        about("which end of the interval is compared"),
    ] = "value"
    confidence: Annotated[Float, about("coverage of the interval", gt=0.5, lt=1)] = 0.95
    versus: Annotated[
        Literal["champion"] | None,
        about("compare with the version now running"),
    ] = None
    min_delta: Annotated[Float | None, about("smallest accepted difference to the champion")] = None


@declared
class FairnessGate:
    """A fairness metric; a fail needs size and significance."""

    metric: Annotated[
        Literal[
            "adverse_impact_ratio",
            "demographic_parity_difference",
            "equal_opportunity_difference",
            "equalised_odds_difference",
            "predictive_parity_difference",
            "standardised_mean_difference",
            "calibration_within_groups",
            "conditional_parity",
        ],
        about("metric"),
    ] = "adverse_impact_ratio"
    attributes: Annotated[
        tuple[str, ...],
        about("protected columns; empty means all of the dataset"),
    ] = ()
    intersections: Annotated[
        tuple[tuple[str, ...], ...],
        about("groups of protected columns whose combinations are compared as well"),
    ] = ()
    within: Annotated[
        tuple[str, ...],
        about("columns of a policy; `conditional_parity` compares inside of their strata"),
    ] = ()
    min: Annotated[Float, about("smallest accepted ratio", gt=0, le=1)] = 0.8
    max: Annotated[
        Float | None,
        about(
            "largest accepted difference in either direction; by default 0.1 for rates, 0.3 "
            "standard deviations for mean scores and 0.05 for calibration",
            gt=0,
        ),
    ] = None
    alpha: Annotated[Float, about("level of the Holm-corrected test", gt=0, lt=0.5)] = 0.05
    min_cell: Annotated[Int, about("a smaller group is insufficient, never a pass", ge=2)] = 30
    min_power: Annotated[
        Float,
        about(
            "insufficient where a disparity of the size of the limit would be found less "
            "probably; 0 switches it off",
            ge=0,
            lt=1,
        ),
    ] = 0.5


@declared
class PsiLimit:
    """Limit of the population stability index."""

    max: Annotated[Float, about("largest accepted value", gt=0)] = 0.25


@declared
class DriftGate:
    """Drift between the training and the test part."""

    psi: Annotated[PsiLimit, about("limit per feature")] = PsiLimit()


@declared
class Parity:
    """How far two forms of one model may differ."""

    plan: Annotated[
        Float | None,
        about(
            "largest difference between the fitted pipeline and the plan that serves; by default "
            "1e-9, and 1e-6 for xgboost, which computes in single precision",
            gt=0,
        ),
    ] = None
    onnx: Annotated[
        Float,
        about("largest difference between the fitted pipeline and its ONNX form", gt=0),
    ] = 1e-5


@declared
class ProxyLimits:
    """How well features may tell a protected attribute."""

    max: Annotated[
        Float,
        about("largest association of one feature with one protected attribute", gt=0, le=1),
    ] = 0.3
    joint: Annotated[
        Float,
        about("largest area under the curve of all features together", gt=0.5, le=1),
    ] = 0.8


@declared
class Acceptance:
    """What a version must show before it is proposed."""

    metrics: Annotated[tuple[MetricGate, ...], about("performance")] = ()
    fairness: Annotated[tuple[FairnessGate, ...], about("fairness")] = ()
    drift: Annotated[DriftGate, about("drift")] = DriftGate()
    parity: Annotated[Parity, about("parity of forms")] = Parity()
    proxies: Annotated[
        ProxyLimits | None,
        about("limits of what features tell of protected attributes; without it nothing decides"),
    ] = None


@declared
class Background:
    """Rows that explanations compare with."""

    rows: Annotated[Int, about("how many", ge=100, le=1000)] = 200
    seed: Annotated[Int, about("seed of their choice", ge=0)] = 7
    of: Annotated[
        Literal["all", "favourable"],
        about("of which training rows: all, or those that get the favourable decision"),
    ] = "all"


@declared
class ExplanationGates:
    """What a validation asks of the reasons of a Model that declares reason codes."""

    agreement: Annotated[
        Float,
        about("smallest share of rows whose reasons other backgrounds give as well", ge=0, le=1),
    ] = 0.8
    flips: Annotated[
        Float,
        about(
            "smallest share of unfavourable decisions that change where the features of their "
            "reasons are at what is usual for favourable ones",
            ge=0,
            le=1,
        ),
    ] = 0.9


@declared
class Explanation:
    """How a prediction is explained."""

    method: Annotated[Literal["shap"], about("attribution method")] = "shap"
    space: Annotated[
        Literal["margin"],
        about("attributions add up to what the model adds up: log-odds, or a value"),
    ] = "margin"
    background: Annotated[Background, about("rows that explanations compare with")] = Background()
    reasons: Annotated[EstatePath | None, about("file that maps features to reason codes")] = None
    top: Annotated[Int, about("how many reasons are given", ge=1, le=10)] = 4
    gates: Annotated[
        ExplanationGates,
        about("what reasons must show in a validation", change="metadata"),
    ] = ExplanationGates()


@declared
class Decision:
    """What follows from the output of a classifier."""

    threshold: Annotated[
        Float,
        about("outputs at or above it take the upper decision", ge=0, le=1),
    ] = 0.5
    above: Annotated[str, about("decision at or above the threshold")] = "positive"
    below: Annotated[str, about("decision below the threshold")] = "negative"


@declared
class External:
    """A model that somebody else runs and we observe."""

    provider: Annotated[str, about("who runs it")]
    version: Annotated[str, about("version that the provider names")] = ""
    endpoint: Annotated[str, about("where it answers", check=ADDRESS)] = ""


@declared
class Imported:
    """A fitted model that existed before; written by `ordain import`."""

    file: Annotated[Digest, about("digest of the file in the artifact store")]
    format: Annotated[
        Literal["skops", "onnx", "lightgbm", "xgboost"],
        about("what the file is; a pickle is converted to skops"),
    ]
    inputs: Annotated[
        tuple[str, ...],
        about("inputs in the order in which the model takes them"),
    ] = ()
    origin: Annotated[str, about("what it was read from", change="metadata")] = ""


@declared
class Segments:
    """Groups of rows that performance is measured in, one column at a time."""

    columns: Annotated[
        tuple[str, ...],
        about("columns whose levels, or quartiles of a number, are groups", min_length=1),
    ]
    metric: Annotated[
        str,
        about("metric of each group; by default the first of the task"),
    ] = ""
    min: Annotated[Float | None, about("smallest accepted value in a group")] = None
    max: Annotated[Float | None, about("largest accepted value in a group")] = None
    min_cell: Annotated[Int, about("a smaller group is shown and not judged", ge=10)] = 100


@declared
class Robustness:
    """How answers may change when the values of a row change a little."""

    noise: Annotated[
        Percent,
        about("share of the standard deviation of a number that is added to or taken from it"),
    ] = "10%"
    missing: Annotated[Percent, about("share of the values that are left out")] = "1%"
    max_flips: Annotated[
        Percent | None,
        about("largest accepted share of decisions that another value turns over"),
    ] = None


@declared
class CalibrationLimit:
    """How far probabilities may be from what comes true."""

    max_error: Annotated[Float, about("largest accepted expected calibration error", gt=0, le=1)]


@declared
class Validation:
    """What a validation measures beside `acceptance`, and on which rows."""

    dataset: Annotated[
        Name | None,
        about("Dataset of the rows; absent means the test part of the model's own"),
    ] = None
    segments: Annotated[Segments | None, about("groups of rows")] = None
    edge_cases: Annotated[
        EstatePath | None,
        about("file of cases with the answer that is expected of each"),
    ] = None
    robustness: Annotated[Robustness, about("changes of values")] = Robustness()
    calibration: Annotated[CalibrationLimit | None, about("limit of the calibration error")] = None


@declared
class Model:
    """A model that is trained here, taken over, or observed."""

    purpose: Annotated[str, about("what the output is used for", change="metadata", min_length=1)]
    tier: Annotated[
        Int,
        about("1 is the most material; the tier sets the quorum", change="metadata", ge=1, le=3),
    ]
    owner: Annotated[Name, about("team that answers for the model", change="metadata")]
    task: Annotated[Literal["classification", "regression", "clustering"], about("kind of output")]
    dataset: Annotated[Name | None, about("Dataset that it learns from")] = None
    split: Annotated[Split, about("how rows are divided")] = Split()
    features: Annotated[Features, about("which columns are features")] = Features()
    preprocessing: Annotated[
        Preprocessing,
        about("what happens before the estimator"),
    ] = Preprocessing()
    training: Annotated[Training | None, about("the estimator")] = None
    decision: Annotated[Decision | None, about("what follows from the output")] = None
    acceptance: Annotated[Acceptance, about("what a version must show")] = Acceptance()
    explanation: Annotated[Explanation, about("how a prediction is explained")] = Explanation()
    validation: Annotated[
        Validation,
        about("what a validation measures, and on which rows", change="metadata"),
    ] = Validation()
    external: Annotated[External | None, about("a vendor's model that is only observed")] = None
    imported: Annotated[Imported | None, about("a fitted model that existed before")] = None
