"""Every type that a stored pipeline may name, and how the file says that it is built.

This list is the whole of what opening a pipeline can import. It is written out and not computed:
a list that is taken from the file, or from what happens to be installed, grows with whoever writes
the file. An entry is the loader of skops together with module and class, because a harmless class
under another loader is another thing: `builtins.dict` as a function would be called.

Refused, whatever they name: methods bound to objects, `operator` functions, constructors with
arguments of the file (`ConstructorFromReduceNode`), random generators, sparse and masked arrays,
bytes. No fitted pipeline of this tool needs them.
"""

from __future__ import annotations

from typing import Final

Entry = tuple[str, str, str]

_NUMBERS: Final = (
    "bool",
    "float32",
    "float64",
    "int32",
    "int64",
    "uint8",
    "uint32",
    "uint64",
)

_PLAIN: Final[tuple[Entry, ...]] = (
    ("BytearrayNode", "builtins", "bytearray"),
    ("DTypeNode", "numpy", "dtype"),
    ("DefaultDictNode", "collections", "defaultdict"),
    ("DictNode", "builtins", "dict"),
    ("DictNode", "collections", "OrderedDict"),
    ("JsonNode", "builtins", "str"),
    ("ListNode", "builtins", "list"),
    ("NdArrayNode", "numpy", "ndarray"),
    ("PartialNode", "functools", "partial"),
    ("SetNode", "builtins", "set"),
    ("SliceNode", "builtins", "slice"),
    ("TreeNode", "sklearn.tree._tree", "Tree"),
    ("TupleNode", "builtins", "tuple"),
)

# What makes a key of a dict from its text, or an element type of an array. All are called with one
# argument at most, and none of them does anything but convert it.
KEY_TYPES: Final[frozenset[tuple[str, str]]] = frozenset(
    {("builtins", name) for name in ("bool", "float", "int", "str")}
    | {("numpy", name) for name in (*_NUMBERS, "str_")}
)
_OTHER_TYPES: Final = frozenset({("builtins", "dict"), ("collections", "OrderedDict")})

FUNCTIONS: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        ("numpy", "clip"),
        ("ordain.runtime.training.columns", "with_products"),
        ("ordain.runtime.training.dateparts", "date_part"),
        ("ordain.runtime.training.splines", "curves"),
        ("sklearn.feature_selection._mutual_info", "mutual_info_classif"),
        ("sklearn.feature_selection._mutual_info", "mutual_info_regression"),
        ("sklearn.feature_selection._univariate_selection", "f_classif"),
        ("sklearn.feature_selection._univariate_selection", "f_regression"),
    }
)

LOSSES: Final[tuple[str, ...]] = (
    "CyAbsoluteError",
    "CyHalfBinomialLoss",
    "CyHalfGammaLoss",
    "CyHalfMultinomialLoss",
    "CyHalfPoissonLoss",
    "CyHalfSquaredError",
    "CyPinballLoss",
)

OBJECTS: Final[dict[str, tuple[str, ...]]] = {
    "lightgbm.basic": ("Booster",),
    "lightgbm.sklearn": ("LGBMClassifier", "LGBMRegressor"),
    "ordain.runtime.training.calibration": ("Calibrated",),
    "sklearn._loss.link": (
        "HalfLogitLink",
        "IdentityLink",
        "Interval",
        "LogLink",
        "LogitLink",
        "MultinomialLogit",
    ),
    "sklearn._loss.loss": (
        "AbsoluteError",
        "HalfBinomialLoss",
        "HalfGammaLoss",
        "HalfMultinomialLoss",
        "HalfPoissonLoss",
        "HalfSquaredError",
        "PinballLoss",
    ),
    "sklearn.cluster._kmeans": ("KMeans",),
    "sklearn.compose._column_transformer": ("ColumnTransformer",),
    "sklearn.ensemble._forest": (
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
        "RandomForestClassifier",
        "RandomForestRegressor",
    ),
    "sklearn.ensemble._hist_gradient_boosting.binning": ("_BinMapper",),
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": (
        "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor",
    ),
    "sklearn.ensemble._hist_gradient_boosting.predictor": ("TreePredictor",),
    "sklearn.feature_extraction.text": ("TfidfTransformer", "TfidfVectorizer"),
    "sklearn.feature_selection._univariate_selection": ("SelectKBest",),
    "sklearn.feature_selection._variance_threshold": ("VarianceThreshold",),
    "sklearn.impute._base": ("MissingIndicator", "SimpleImputer"),
    "sklearn.isotonic": ("IsotonicRegression",),
    "sklearn.linear_model._base": ("LinearRegression",),
    "sklearn.linear_model._coordinate_descent": ("ElasticNet", "Lasso"),
    "sklearn.linear_model._glm.glm": ("GammaRegressor", "PoissonRegressor"),
    "sklearn.linear_model._logistic": ("LogisticRegression",),
    "sklearn.linear_model._ridge": ("Ridge", "RidgeClassifier"),
    "sklearn.mixture._gaussian_mixture": ("GaussianMixture",),
    "sklearn.model_selection._split": ("KFold", "StratifiedKFold"),
    "sklearn.pipeline": ("FeatureUnion", "Pipeline"),
    "sklearn.preprocessing._data": ("MinMaxScaler", "RobustScaler", "StandardScaler"),
    "sklearn.preprocessing._encoders": ("OneHotEncoder", "OrdinalEncoder"),
    "sklearn.preprocessing._function_transformer": ("FunctionTransformer",),
    "sklearn.preprocessing._label": ("LabelBinarizer", "LabelEncoder"),
    "sklearn.preprocessing._polynomial": ("PolynomialFeatures",),
    "sklearn.preprocessing._target_encoder": ("TargetEncoder",),
    "sklearn.tree._classes": (
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "ExtraTreeClassifier",
        "ExtraTreeRegressor",
    ),
    "xgboost.core": ("Booster",),
    "xgboost.sklearn": ("XGBClassifier", "XGBRegressor"),
}

ALLOWED: Final[frozenset[Entry]] = frozenset(
    {
        *_PLAIN,
        *(("NdArrayNode", "numpy", name) for name in _NUMBERS),
        *(("TypeNode", module, name) for module, name in KEY_TYPES | _OTHER_TYPES),
        *(("FunctionNode", module, name) for module, name in FUNCTIONS),
        *(("LossNode", "sklearn._loss._loss", name) for name in LOSSES),
        *(("ObjectNode", module, name) for module, names in OBJECTS.items() for name in names),
    }
)

# Settings of allowed objects that would make them read files, call what the file names, or cache
# pickles on disk. Each may have this value, written as JSON, and no other.
PINNED: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("sklearn.compose._column_transformer", "ColumnTransformer"): {"n_jobs": "null"},
    ("sklearn.feature_extraction.text", "TfidfVectorizer"): {
        "analyzer": '"word"',
        "input": '"content"',
        "preprocessor": "null",
        "tokenizer": "null",
    },
    ("sklearn.pipeline", "Pipeline"): {"memory": "null"},
    ("xgboost.sklearn", "XGBClassifier"): {"callbacks": "null"},
    ("xgboost.sklearn", "XGBRegressor"): {"callbacks": "null"},
}

# Attributes that only fitting needs and that differ between equal fits: a generator of random
# numbers that cannot be stored without naming its class, and the address of a list in memory.
LEFT_OUT: Final[frozenset[str]] = frozenset({"_feature_subsample_rng", "_stop_words_id"})
