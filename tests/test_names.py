"""Names: what Keras has where, as far as fastkeras has it at all."""

import importlib

import pytest

import fastkeras

NAMES = {
    "": "GradientTape Initializer Input Layer Loss Metric Model Optimizer Regularizer Sequential Variable __version__",
    "activations": "deserialize get linear relu serialize sigmoid softmax tanh",
    "callbacks": "CSVLogger Callback CallbackList EarlyStopping History LambdaCallback LearningRateScheduler "
    "ModelCheckpoint ProgbarLogger ReduceLROnPlateau TerminateOnNaN",
    "datasets": "boston_housing california_housing cifar10 cifar100 fashion_mnist imdb mnist reuters",
    "datasets.imdb": "get_word_index load_data",
    "datasets.reuters": "get_label_names get_word_index load_data",
    "initializers": "Constant GlorotUniform HeNormal Initializer Ones Orthogonal RandomNormal Zeros deserialize get "
    "glorot_uniform serialize",
    "layers": "Activation AveragePooling1D AveragePooling2D AvgPool2D Bidirectional Conv1D Conv1DTranspose Conv2D "
    "Conv2DTranspose Convolution1D Convolution2D Convolution2DTranspose Cropping1D Cropping2D Dense "
    "DepthwiseConv1D DepthwiseConv2D Dropout Embedding Flatten GRU GRUCell GlobalAveragePooling1D "
    "GlobalAveragePooling2D GlobalAvgPool1D GlobalMaxPool1D GlobalMaxPooling1D GlobalMaxPooling2D Input "
    "InputLayer LSTM LSTMCell Layer Masking MaxPool2D MaxPooling1D MaxPooling2D Permute RNN RepeatVector "
    "Reshape SeparableConv1D SeparableConv2D SeparableConvolution2D SimpleRNN SimpleRNNCell "
    "SpatialDropout1D SpatialDropout2D SpatialDropout3D StackedRNNCells TimeDistributed UpSampling1D "
    "UpSampling2D ZeroPadding1D ZeroPadding2D",
    "losses": "BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy "
    "CategoricalGeneralizedCrossEntropy "
    "CategoricalHinge CosineSimilarity Dice Hinge Huber KLDivergence LogCosh Loss MeanAbsoluteError "
    "MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson SparseCategoricalCrossentropy "
    "SquaredHinge Tversky KLD MAE MAPE MSE MSLE bce binary_crossentropy binary_focal_crossentropy "
    "categorical_crossentropy categorical_focal_crossentropy categorical_hinge cosine_similarity deserialize dice get "
    "hinge huber kl_divergence kld log_cosh logcosh mae mape mean_absolute_error mean_absolute_percentage_error "
    "mean_squared_error mean_squared_logarithmic_error mse msle poisson serialize sparse_categorical_crossentropy "
    "squared_hinge tversky",
    "metrics": "AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy CategoricalCrossentropy "
    "CategoricalHinge ConcordanceCorrelation CosineSimilarity F1Score FBetaScore FalseNegatives FalsePositives Hinge "
    "IoU KLDivergence LogCoshError Mean MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanMetricWrapper "
    "MeanSquaredError MeanSquaredLogarithmicError Metric OneHotIoU OneHotMeanIoU PearsonCorrelation Poisson Precision "
    "PrecisionAtRecall R2Score Recall RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity "
    "SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SpecificityAtSensitivity "
    "SquaredHinge Sum TopKCategoricalAccuracy TrueNegatives TruePositives binary_accuracy deserialize get serialize "
    "sparse_top_k_categorical_accuracy top_k_categorical_accuracy",
    "models": "Model Sequential load_model model_from_json save_model",
    "ops": "abs add all any argmax argmin argsort cast clip concatenate cond convert_to_numpy convert_to_tensor "
    "cumprod cumsum divide dot einsum erf exp expand_dims eye flip fori_loop full is_tensor linspace log "
    "log_softmax logsumexp matmul max maximum mean min moments multiply norm normalize one_hot ones outer "
    "pad power prod relu repeat reshape round scan scatter shape sigmoid slice slice_update softmax sort "
    "split sqrt square squeeze stack std stop_gradient sum take take_along_axis tensordot tile top_k "
    "transpose tril triu unstack var vectorized_map where while_loop zeros",
    "optimizers": "Adadelta Adagrad Adam AdamW Adamax Ftrl Lion Nadam Optimizer RMSprop SGD deserialize get serialize",
    "optimizers.schedules": "CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay LearningRateSchedule "
    "PiecewiseConstantDecay PolynomialDecay deserialize serialize",
    "preprocessing.sequence": "TimeseriesGenerator make_sampling_table pad_sequences skipgrams",
    "preprocessing.text": "Tokenizer hashing_trick one_hot text_to_word_sequence tokenizer_from_json",
    "regularizers": "L1 L1L2 L2 Regularizer deserialize get l1 l1_l2 l2 serialize",
    "saving": "CustomObjectScope custom_object_scope get_custom_objects load_model register_keras_serializable "
    "save_model",
    "utils": "CustomObjectScope PyDataset Sequence custom_object_scope get_custom_objects get_file normalize "
    "pad_sequences register_keras_serializable set_random_seed to_categorical",
}


@pytest.mark.parametrize("place", NAMES)
def test_names_are_where_keras_has_them(place):
    module, attribute = importlib.import_module(f"fastkeras.{place}".rstrip(".")), fastkeras
    for part in filter(None, place.split(".")):
        attribute = getattr(attribute, part)
    assert attribute is module
    for name in NAMES[place].split():
        assert getattr(module, name) is not None


def test_one_thing_has_one_object():
    assert fastkeras.Loss is fastkeras.losses.Loss
    assert fastkeras.utils.pad_sequences is fastkeras.preprocessing.sequence.pad_sequences
    assert fastkeras.models.load_model is fastkeras.saving.load_model
    assert fastkeras.optimizers.adam is fastkeras.optimizers.Adam
    assert fastkeras.optimizers.sgd is fastkeras.optimizers.SGD
    assert fastkeras.optimizers.rmsprop is fastkeras.optimizers.RMSprop
